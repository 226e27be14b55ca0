"""`report`: the whole of it as one HTML file."""

from __future__ import annotations

from typing import NamedTuple

from ralphgit.app.report import publish
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, safe_lines


class Options(NamedTuple):
    file: str = ""
    force: bool = False
    at: str = ""


def run(call: Call, options: Options) -> Outcome:
    stdout = options.file == "-"
    file = "" if stdout else options.file
    wanted = publish.PageOptions(file, stdout, at=options.at, force=options.force)
    done = publish.publish(call.project(), wanted)
    text = None if done.file else done.page.decode("utf-8")
    size = len(done.page)
    data = {"file": done.file or None, "tasks": done.tasks, "bytes": size, "text": text}
    if text is None:
        return Outcome(data, before=(safe(done.file),))
    # A pipe gets every byte; a terminal nothing that it would act on.
    text = text.removesuffix("\n")
    return Outcome(data, before=safe_lines(text) if call.screen.terminal else [text])
