"""Make the completion scripts of `ralphgit` and `git ralph`, and answer as they ask.

Each asks the program itself for the words, in the environment variables that click reads.
"""

from __future__ import annotations

import os
from typing import Any

from click import Command
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

PROGRAM, VARIABLE = "ralphgit", "_RALPHGIT_COMPLETE"

#: git's own completion for bash calls `_git_VERB`, the one in zsh `_git-VERB`, for a verb that
#: it does not know. Ours then sees the words from the verb on, as if `ralphgit` had been typed.
_BASH = """
_git_ralph() {
    local verb=${__git_cmd_idx:-1}
    local -a words_here=(ralphgit "${COMP_WORDS[@]:verb+1}")
    local -a COMP_WORDS=("${words_here[@]}")
    local COMP_CWORD=$((COMP_CWORD - verb))
    _ralphgit_completion ralphgit
}
"""
_ZSH = """
_git-ralph() {
    _ralphgit_completion
}
"""
#: fish gives the words up to the cursor: those behind `ralph` are ours. It may be asked in the
#: middle of a quoted word, so words are passed line by line, and not parsed again.
_FISH = """\
function _ralphgit_completion
    set -l before (commandline -opc)
    set -l verb 1
    if test "$before[1]" = git
        set verb (contains -i -- ralph $before); or return
    end
    set -l words ralphgit $before[(math $verb + 1)..-1]
    for line in (env COMP_WORDS=(string join \\n -- $words | string collect) \\
            COMP_CWORD=(commandline -ct) _RALPHGIT_COMPLETE=fish_complete ralphgit)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case plain
                echo $parts[2]
        end
    end
end

function _ralphgit_after_git
    set -l before (commandline -opc)
    contains -- ralph $before[2..-1]
end

complete --no-files --command ralphgit --arguments "(_ralphgit_completion)"
complete --no-files --command git --condition _ralphgit_after_git \\
    --arguments "(_ralphgit_completion)"
"""


class _Bash(BashComplete):
    source_template = BashComplete.source_template + _BASH


class _Zsh(ZshComplete):
    source_template = ZshComplete.source_template + _ZSH


class _Fish(FishComplete):
    source_template = _FISH.replace("%", "%%")

    def get_completion_args(self) -> tuple[list[str], str]:
        return os.environ["COMP_WORDS"].split("\n")[1:], os.environ["COMP_CWORD"].lstrip("'\"")

    def format_completion(self, item: CompletionItem[Any]) -> str:
        help = (item.help or "").replace("\n", " ").replace("\t", " ")
        return f"{item.type},{item.value}" + (f"\t{help}" if help else "")


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def register() -> None:
    """Have click answer as the scripts of `script` ask."""
    for name, shell in _SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str, program: Command) -> str:
    """Return what a shell has to read to complete both programs."""
    complete = _SHELLS[shell](program, {}, PROGRAM, VARIABLE)
    # Not `complete.source()`: for bash it first asks the bash on PATH for its version.
    return ShellComplete.source(complete)
