"""Serve the report on 127.0.0.1, and tell the pages that are open what has changed.

It is read-only, and answers this page alone: another site that the browser has open, also one that
has its name resolved to this machine, is refused.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from ralphgit.app.report.document import document
from ralphgit.app.report.gather import gather
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.board.follow_repository import Follower, Pace
from ralphgit.board.snapshot import Worker
from ralphgit.board.tail_log import Tail
from ralphgit.errors import RalphError, Refused

#: Lines of each log that are shown.
_LINES = 14
#: A page that is asked nothing hears so often that its server is there, in seconds.
_STILL_S = 15.0


class _Shown(NamedTuple):
    """What the pages are to show."""

    page: bytes
    number: int
    """Another one for another page."""
    logs: str
    """The last lines of each worker's log, as JSON."""


class LivePage:
    """The server; used as a context. `follow` keeps what it shows as the repository is."""

    def __init__(self, around: Surroundings, port: int) -> None:
        """Raises: Refused (port_taken)."""
        self._around = around._replace(begun=None)
        self._shown = _Shown(b"", 0, "[]")
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._tails: dict[str, Tail] = {}
        self._last: dict[str, tuple[str, ...]] = {}
        try:
            self._server = _Server(("127.0.0.1", port), _Answer)
        except OSError as error:
            raise Refused(
                f"port {port} of 127.0.0.1 cannot be used: {error.strerror}",
                code="port_taken", hint="ralphgit report --serve",
            ) from error  # fmt: skip
        self._server.live = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> LivePage:
        self._renew()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def follow(self) -> None:
        """Look until this process is interrupted."""
        pace = Pace(look=1.0)
        follower = Follower(self._around, pace)
        phases: tuple[tuple[str, str, str], ...] = ()
        while not self._ended.wait(pace.look):
            update = follower.look()
            now = tuple((one.name, one.state, one.phase) for one in update.workers)
            if update.snapshot is not None or now != phases:
                phases = now
                self._renew()
            self._show(self._shown._replace(logs=self._logs(update.workers)))

    def _renew(self) -> None:
        """Make the page anew; what cannot be read now leaves the one there was."""
        try:
            project = Project.open(self._around, [])
            page = document(gather(project), live=True)
            project.repository.close()
        except RalphError:
            if not self._shown.page:
                raise
            return
        self._show(self._shown._replace(page=page, number=self._shown.number + 1))

    def _logs(self, workers: tuple[Worker, ...]) -> str:
        told = []
        for one in workers:
            if not one.path or not one.task:
                continue
            tail = self._tails.setdefault(one.path, Tail(one.path))
            if (piece := tail.read()) is not None:
                before = () if piece.anew else self._last.get(one.path, ())
                self._last[one.path] = (*before, *piece.lines)[-_LINES:]
            lines = self._last.get(one.path, ())
            told.append({"name": one.name, "task": one.task, "phase": one.phase, "lines": lines})
        return json.dumps(told)

    def _show(self, now: _Shown) -> None:
        with self._changed:
            if now != self._shown:
                self._shown = now
                self._changed.notify_all()

    @property
    def page(self) -> bytes:
        return self._shown.page

    def events(self) -> Iterator[bytes]:
        """Yield what a page that has just been opened is to hear, until the server ends."""
        number, logs = -1, ""
        while not self._ended.is_set():
            now = self._shown
            if now.number != number:
                yield f"event: page\ndata: {now.number}\n\n".encode()
            if now.logs != logs:
                yield f"event: logs\ndata: {now.logs}\n\n".encode()
            if (now.number, now.logs) == (number, logs):
                yield b": still here\n\n"
            number, logs = now.number, now.logs
            with self._changed:
                until = time.monotonic() + _STILL_S
                while self._shown is now and not self._ended.is_set():
                    if not self._changed.wait(until - time.monotonic()):
                        break


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    live: LivePage


class _Answer(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "ralphgit", ""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what is asked is of no interest."""

    def do_GET(self) -> None:
        live = self.server.live
        port = self.server.server_address[1]
        own = {f"127.0.0.1:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in own or not (
            origin is None or origin.removeprefix("http://") in own
        ):
            self.send_error(403)
        elif self.path == "/":
            self._begin("text/html; charset=utf-8", len(live.page))
            self.wfile.write(live.page)
        elif self.path == "/events":
            self._begin("text/event-stream")
            try:
                for event in live.events():
                    self.wfile.write(event)
                    self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                return  # the page was closed
        else:
            self.send_error(404)

    def _begin(self, kind: str, size: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        if size is not None:
            self.send_header("Content-Length", str(size))
        self.end_headers()
