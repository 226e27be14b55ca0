"""`init`: begin a task graph here."""

from __future__ import annotations

from ralphgit.app import initialise, look
from ralphgit.app.exclusive import Exclusive
from ralphgit.app.project import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = look.project(around, warnings)
    with Exclusive(project):
        begun = initialise.initialise(project, str(options.get("layout", "")))
    lines = [f"created  {safe(path)}" for path in begun.created]
    lines += [f"kept     {safe(path)}" for path in begun.kept]
    return Outcome(
        {"created": begun.created, "kept": begun.kept},
        before=lines,
        advice=("Next: ralphgit add --title TEXT; then git add, git commit",),
    )
