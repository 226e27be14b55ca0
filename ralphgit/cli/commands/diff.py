"""`diff`: what a branch does to the records, in tasks and not in lines."""

from typing import NamedTuple

from ralphgit.app.diff import record_diff, text
from ralphgit.app.diff.as_json import as_json
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe


class Options(NamedTuple):
    range: str = ""
    format: str = "text"
    fetch: bool = False


def run(call: Call, options: Options) -> Outcome:
    project = call.project(fetch=options.fetch)
    found = record_diff.diff(project, options.range)
    if not options.range and record_diff.is_uncommitted(project, found):
        project.warn("this worktree's records have uncommitted changes, which are not shown")
    if options.format == "markdown":
        from ralphgit.app.diff import markdown

        comment = markdown.comment(project, found)
        data = {**as_json(found), "markdown": comment}
        return Outcome(data, before=(comment.removesuffix("\n"),))
    return Outcome(as_json(found), before=[safe(line) for line in text.lines(found)])
