"""`diff`: what a branch does to the records, in tasks and not in lines."""

from __future__ import annotations

from ralphgit.app.base import opening
from ralphgit.app.diff import record_diff, text
from ralphgit.app.diff.as_json import as_json
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.cli.render import Outcome, Screen, safe


def run(
    around: Surroundings, options: dict[str, object], warnings: list[str], screen: Screen
) -> Outcome:
    project = opening.project(around, warnings, fetch=bool(options.get("fetch")))
    given = str(options.get("range", ""))
    found = record_diff.diff(project, given)
    if not given and record_diff.is_uncommitted(project, found):
        project.warn(
            "this worktree's records have changes that are not committed; they are not told here"
        )
    if options.get("format") == "markdown":
        from ralphgit.app.diff import markdown

        comment = markdown.comment(project, found)
        return Outcome(
            {**as_json(found), "markdown": comment}, before=(comment.removesuffix("\n"),)
        )
    return Outcome(as_json(found), before=[safe(line) for line in text.lines(found)])
