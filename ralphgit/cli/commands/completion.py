"""`completion`: the script that teaches a shell to complete `ralphgit` and `git ralph`."""

from __future__ import annotations

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    from ralphgit.cli import click_application, shell_completion

    shell = str(options["shell"])
    lines = shell_completion.script(shell, click_application.program()).rstrip("\n").split("\n")
    return Outcome({"shell": shell, "script": "\n".join(lines) + "\n"}, before=lines)
