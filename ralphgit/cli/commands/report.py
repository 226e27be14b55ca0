"""`report`: the whole of it as one HTML file."""

import gc
from typing import NamedTuple

from ralphgit.app.report import publish
from ralphgit.cli.command_call import Call
from ralphgit.cli.render import Outcome, safe, safe_lines, telling
from ralphgit.errors import UsageError


class Options(NamedTuple):
    file: str = ""
    force: bool = False
    at: str = ""
    serve: bool = False
    port: int | None = None


def run(call: Call, options: Options) -> Outcome:
    if options.serve:
        return _serve(call, options)
    if options.port is not None:
        raise UsageError("--port is of --serve", hint=f"ralphgit report --serve --port {_A_PORT}")
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


#: An example.
_A_PORT = 8080


def _serve(call: Call, options: Options) -> Outcome:
    """Serve until it is interrupted."""
    if options.file or options.at or options.force:
        raise UsageError(
            "--serve shows what is, and writes no file", hint="ralphgit report --serve"
        )
    if options.port is not None and not 0 < options.port < 65536:
        raise UsageError("--port must be 1 to 65535", hint="ralphgit report --serve")
    from ralphgit.board.live_page import LivePage

    gc.enable()  # `main` has switched it off for what ends soon
    call.project().repository.close()  # what is wrong with the repository is said now
    with LivePage(call.around, options.port or 0) as page:
        telling(call.screen)(f"{page.url} (Ctrl+C ends it)")
        page.follow()
    return Outcome({"file": None, "tasks": 0, "bytes": 0, "text": None})
