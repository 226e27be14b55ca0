# `just RECIPE` where ralphgit is installed; in this repository: `uv run just RECIPE`.

set positional-arguments

# What is started as `ralphgit`; for another one: RALPHGIT="python -m ralphgit" just RECIPE.
ralphgit := env("RALPHGIT", "ralphgit")
# What a recipe acts on: where `just` was called, or the folder given with -d.
here := if `pwd -P` == canonicalize(justfile_directory()) { invocation_directory() } else { `pwd -P` }

# List the recipes
@default:
    {{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} --list --unsorted

# Take tasks one after the other until none is left
@ralph:
    echo "The loop comes with: ralphgit run"

# Show the prompt for a task (without ID: for the next one)
[no-exit-message]
@prompt *ARGS:
    {{ ralphgit }} -C {{ quote(here) }} prompt "$@"

# Release what a crashed worker held; its work is kept
[no-exit-message]
@task-reset ID REASON *ARGS:
    shift 2; {{ ralphgit }} -C {{ quote(here) }} reset {{ quote(ID) }} --reason {{ quote(REASON) }} "$@"

# Verify the claimed task and commit it with its evidence
[no-exit-message]
@task-complete *ARGS:
    {{ ralphgit }} -C {{ quote(here) }} complete "$@"

# Show what needs a person, who does what, what is next
[no-exit-message]
@status *ARGS:
    {{ ralphgit }} -C {{ quote(here) }} status "$@"

# Make a worktree ../<repo>-NAME on a new branch feature/NAME, from the fetched base
[no-exit-message]
@worktree-new NAME *ARGS:
    shift; {{ ralphgit }} -C {{ quote(here) }} worktree new {{ quote(NAME) }} "$@"

# List the worktrees: who works in them, what is in them
[no-exit-message]
@worktree-list *ARGS:
    {{ ralphgit }} -C {{ quote(here) }} worktree list "$@"

# Remove a worktree that has nothing but what the base has
[no-exit-message]
@worktree-remove NAME *ARGS:
    shift; {{ ralphgit }} -C {{ quote(here) }} worktree remove {{ quote(NAME) }} "$@"

# Remove every worktree whose work has landed
[no-exit-message]
@worktree-prune *ARGS:
    {{ ralphgit }} -C {{ quote(here) }} worktree prune "$@"

# Play the demo: three workers, a race, a crash (under 30 s, no network)
@demo:
    python -m ralphgit.demo

# Run the tests
[no-exit-message]
test *ARGS:
    pytest -n auto "$@"

# Check the laws on N generated pairs of changes
[no-exit-message]
laws N:
    PYTHONPATH=tests python -m laws {{ quote(N) }}

# Have many claimers race for one task
[no-exit-message]
race *ARGS:
    PYTHONPATH=tests python -m race "$@"

# Measure against the targets
[no-exit-message]
bench *ARGS:
    PYTHONPATH=tests python -m bench "$@"

# Look for mistakes in style and types
[no-exit-message]
lint:
    ruff check
    mypy
