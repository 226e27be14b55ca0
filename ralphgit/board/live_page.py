"""Serve the report on 127.0.0.1, and tell the pages that are open what has changed.

It is read-only, and answers this page alone: another site that the browser has open, also one that
has its name resolved to this machine, is refused.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from ralphgit.app.report import document
from ralphgit.app.report.gather import Gathered, gather
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
#: The page is made anew in one of so many seconds at most, however large the repository is.
_SHARE = 4
#: So many changes are kept for pages that come later; one that lacks more is loaded again.
_KEPT = 64


class _Shown(NamedTuple):
    """What the pages are to show."""

    found: Gathered
    version: int
    data: dict[str, Any]
    parts: Mapping[str, str]


class _Change(NamedTuple):
    """What is different from the version before; "" where a page has to be loaded again."""

    version: int
    told: str


class LivePage:
    """The server; used as a context. `follow` keeps what it shows as the repository is."""

    def __init__(self, around: Surroundings, port: int) -> None:
        """Raises: Refused (port_taken)."""
        self._around = around._replace(begun=None)
        self._shown: _Shown | None = None
        self._page = (0, b"")
        self._changes: deque[_Change] = deque(maxlen=_KEPT)
        self._logs: dict[str, str] = {}
        """By worker: its task, its phase and its last lines, as JSON."""
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
        found, data = self._gathered()
        # Other numbers than those of a server before this one, whose pages may still be open.
        version = int(self._around.now() * 1000)
        self._shown = _Shown(found, version, data, document.sections(found))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # -- following -------------------------------------------------------------------

    def follow(self) -> None:
        """Look until this process is interrupted."""
        pace = Pace(look=1.0)
        follower = Follower(self._around, pace)
        phases: tuple[tuple[str, str, str], ...] = ()
        stale, again = False, 0.0
        while not self._ended.wait(pace.look):
            update = follower.look()
            now = tuple((one.name, one.state, one.phase) for one in update.workers)
            stale = stale or update.snapshot is not None or now != phases
            phases = now
            if stale and time.monotonic() >= again:
                began = time.monotonic()
                self._renew()
                stale, again = False, time.monotonic() + _SHARE * (time.monotonic() - began)
            self._read_logs(update.workers)

    def _gathered(self) -> tuple[Gathered, dict[str, Any]]:
        project = Project.open(self._around, [])
        try:
            found = gather(project)
        finally:
            project.repository.close()
        return found, document.data(found)

    def _renew(self) -> None:
        """See what is different; what cannot be read now leaves what there was."""
        before = self._shown
        assert before is not None
        try:
            found, data = self._gathered()
        except RalphError:
            return
        now = _Shown(found, before.version + 1, data, document.sections(found))
        told = _difference(before, now)
        if told is None:
            return
        with self._changed:
            self._shown = now
            self._changes.append(_Change(now.version, told))
            self._changed.notify_all()

    def _read_logs(self, workers: tuple[Worker, ...]) -> None:
        told = {}
        for one in workers:
            if not one.path or not one.task:
                continue
            tail = self._tails.setdefault(one.path, Tail(one.path))
            if (piece := tail.read()) is not None:
                before = () if piece.anew else self._last.get(one.path, ())
                self._last[one.path] = (*before, *piece.lines)[-_LINES:]
            lines = self._last.get(one.path, ())
            log = {"name": one.name, "task": one.task, "phase": one.phase, "lines": lines}
            told[one.name] = json.dumps(log)
        told |= {
            name: json.dumps({"name": name, "task": ""}) for name in self._logs if name not in told
        }
        if told != self._logs:
            with self._changed:
                self._logs = told
                self._changed.notify_all()

    # -- answering -------------------------------------------------------------------

    @property
    def page(self) -> bytes:
        """All of the page as it is now; made when it is asked for."""
        shown = self._shown
        assert shown is not None
        if self._page[0] != shown.version:
            self._page = shown.version, document.document(shown.found, version=shown.version)
        return self._page[1]

    def events(self, since: int) -> Iterator[bytes]:
        """Yield what a page of the version `since` is to hear, until the server ends."""
        logs: dict[str, str] = {}
        while not self._ended.is_set():
            shown, changes, now = self._shown, tuple(self._changes), self._logs
            assert shown is not None
            missing = [one for one in changes if one.version > since]
            if since > shown.version or len(missing) != shown.version - since:
                missing = [_Change(shown.version, "")]
            for change in missing:
                kind = "change" if change.told else "again"
                text = change.told or "all"
                yield f"event: {kind}\nid: {change.version}\ndata: {text}\n\n".encode()
            fresh = [log for name, log in now.items() if logs.get(name) != log]
            for log in fresh:
                yield f"event: log\ndata: {log}\n\n".encode()
            if not missing and not fresh:
                yield b": still here\n\n"
            since, logs = shown.version, now
            with self._changed:
                until = time.monotonic() + _STILL_S
                while self._shown is shown and self._logs is now and not self._ended.is_set():
                    if not self._changed.wait(until - time.monotonic()):
                        break


def _difference(before: _Shown, now: _Shown) -> str | None:
    """What a page has to take over, as JSON; "" for all of it anew, None for nothing."""
    old, new = before.data, now.data
    parts = {name: html for name, html in now.parts.items() if html != before.parts[name]}
    tasks = {one["id"]: one for one in old["tasks"]}
    if old["layout"] != new["layout"] or [*tasks] != [one["id"] for one in new["tasks"]]:
        return ""
    changed = [one for one in new["tasks"] if one != tasks[one["id"]]]
    if any(tasks[one["id"]].get("needs") != one.get("needs") for one in changed):
        return ""
    known = {(one["task"], one["claim"]): one for one in old["attempts"]}
    attempts = [one for one in new["attempts"] if one != known.pop(_key(one), None)]
    if not (parts or changed or attempts or known):
        return None
    told = {
        "generated": new["generated"], "parts": parts, "tasks": changed, "attempts": attempts,
        "gone": [*known],  # such as a claim that was lost
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _key(attempt: Mapping[str, Any]) -> tuple[str, str]:
    return attempt["task"], attempt["claim"]


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
        elif (asked := urlsplit(self.path)).path == "/":
            page = live.page
            self._begin("text/html; charset=utf-8", len(page))
            self.wfile.write(page)
        elif asked.path == "/events":
            since = self.headers.get("Last-Event-ID") or parse_qs(asked.query).get("since", [""])[0]
            self._begin("text/event-stream")
            try:
                for event in live.events(int(since) if since.isdecimal() else 0):
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
