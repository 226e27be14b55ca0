"""`completion`: the script that teaches a shell to complete `ralphgit` and `git ralph`."""

from __future__ import annotations

from ralphgit.app.project import Surroundings
from ralphgit.cli.render import Outcome, Screen

#: git's own completion for bash calls `_git_VERB`, the one in zsh `_git-VERB`, for a verb that
#: it does not know. Ours then sees the words from the verb on, as if `ralphgit` had been typed.
_GIT_RALPH = {
    "bash": """
_git_ralph() {
    local verb=${__git_cmd_idx:-1}
    local -a words_here=(ralphgit "${COMP_WORDS[@]:verb+1}")
    local -a COMP_WORDS=("${words_here[@]}")
    local COMP_CWORD=$((COMP_CWORD - verb))
    _ralphgit_completion ralphgit
}
""",
    "zsh": """
_git-ralph() {
    _ralphgit_completion
}
""",
    "fish": "",
}


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    from click.shell_completion import ShellComplete, get_completion_class

    from ralphgit.cli.explain import program

    shell = str(options["shell"])
    made = get_completion_class(shell)
    assert made is not None  # the table lets no other shell through
    complete = made(program(), {}, "ralphgit", "_RALPHGIT_COMPLETE")
    # Not `complete.source()`: for bash it first asks the bash on PATH for its version.
    script = ShellComplete.source(complete) + _GIT_RALPH[shell]
    lines = script.rstrip("\n").split("\n")
    return Outcome({"shell": shell, "script": "\n".join(lines) + "\n"}, before=lines)
