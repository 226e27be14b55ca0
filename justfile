# `just RECIPE` where ralphgit is installed; in this repository: `uv run just RECIPE`.

set positional-arguments

import 'ralphgit/ralph.just'

alias status := ralph-status

# List the recipes
@default:
    {{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} --list --unsorted

# Play the demo: three workers, a race, a crash (under 30 s, no network)
@demo:
    PYTHONPATH=examples python -m demo

# Run the tests, but for the slow tenth: `just test FILE` those of a file
[no-exit-message]
test *ARGS:
    PYTHONDONTWRITEBYTECODE= pytest -n auto --dist worksteal -m 'not slow' "$@"

# Run every test
[no-exit-message]
test-all *ARGS:
    PYTHONDONTWRITEBYTECODE= pytest -n auto --dist worksteal "$@"

# Write docs/examples anew
[no-exit-message]
examples:
    RALPHGIT_EXAMPLES=write pytest -q -n 1 tests/test_diff_examples.py

# Check the laws on N generated pairs of changes
[no-exit-message]
laws N:
    PYTHONPATH=tests python -m laws {{ quote(N) }}

# Have many claimers race for one task
[no-exit-message]
race *ARGS:
    PYTHONPATH=tests python -m race "$@"

# Have loops drain a graph while KILLS of their processes are killed
[no-exit-message]
soak *ARGS:
    PYTHONPATH=tests python -m soak "$@"

# Have workers of several machines share one remote: races, trouble, and how much they do
[no-exit-message]
far *ARGS:
    PYTHONPATH=tests python -m far "$@"

# Kill every command that writes at each of its moments, and have each of its steps fail
[no-exit-message]
faults *ARGS:
    PYTHONPATH=tests python -m faults "$@"

# Take repositories through random events: landed, taken back, rewritten, renamed, archived
[no-exit-message]
life *ARGS:
    PYTHONPATH=tests python -m life "$@"

# Have Hypothesis take two clones through claims, landings, reverts; a model and a checker judge
[no-exit-message]
model *ARGS:
    PYTHONPATH=tests python -m model "$@"

# Do the same in repositories of every kind (sha256, sparse, LFS, ...); `--write` makes the table
[no-exit-message]
variants *ARGS:
    PYTHONPATH=tests python -m variants "$@"

# Check the formal model of claiming with spin, and that it misses what is taken out; `--deep`
[no-exit-message]
proof *ARGS:
    PYTHONPATH=tests python -m proof "$@"

# Give N inputs of every kind to what reads them: a typed answer, quickly, and nothing written
[no-exit-message]
fuzz *ARGS:
    PYTHONPATH=tests python -m fuzz "$@"

# Have the real coding agents that are installed work in a loop, against local servers
[no-exit-message]
agents *ARGS:
    PYTHONPATH=tests python -m agents_real "$@"

# Have four loops work through a night in fast motion; `--write` makes docs/night.md
[no-exit-message]
night *ARGS:
    PYTHONPATH=tests python -m night "$@"

# Measure against the targets
[no-exit-message]
bench *ARGS:
    PYTHONPATH=tests python -m bench "$@"

# Measure how fluid the report of 2,000 tasks is in Chromium, and while 8 loops work
[no-exit-message]
fluid:
    RALPHGIT_FLUID=1 pytest -n 0 -s -q tests/test_report_page.py tests/test_live_page.py -k fluid

# Take the screenshots of the documents
[no-exit-message]
screenshots *ARGS:
    PYTHONPATH=tests python -m screenshots "$@"

# Run the GitHub action here for an event, as its runner would
[no-exit-message]
action NAME PAYLOAD:
    python tests/action.py "$@"

# Rewrite the reference of the gate's rules, docs/rules.md
rules:
    PYTHONPATH=tools python -m rules_page

# Look for mistakes in style, form and types, and in workflows
[no-exit-message]
lint:
    ruff check
    ruff format --check
    mypy
    check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
    check-jsonschema --builtin-schema vendor.github-actions action.yml
    check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/change.yml
    check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml

# Build the documentation site into site/ (with --quiet, --strict would see no warning)
[no-exit-message]
docs:
    NO_MKDOCS_2_WARNING=1 mkdocs build --strict

# Write the documents' tables of import formats and agents anew
tables:
    PYTHONPATH=tools python -m registry_tables

# Compile the report's page
page:
    PYTHONPATH=tools python -m compiled_page

# Write the manual pages anew
man:
    PYTHONPATH=tools python -m manual_pages man
