"""A stand-in for the forges' REST APIs on loopback: comments of pull requests, and who asks."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = {"login": "github-actions[bot]", "type": "Bot", "id": 1}
PERSON = {"login": "mallory", "type": "User", "id": 2}


class ForgeApi:
    """GitHub's and GitLab's API; `comments` are those of the one pull request there is."""

    def __init__(self, *, number: int = 7, branch: str = "alpha") -> None:
        self.number, self.branch = number, branch
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.read_only = False
        self.failures: list[int] = []
        """Statuses to answer writes with instead, one each; what is written is kept all the same
        where the status is negative."""
        self._next = 100
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
        self._server.daemon_threads = True
        self._server.forge = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> ForgeApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, body: str, who: dict[str, Any] = BOT) -> dict[str, Any]:
        self._next += 1
        made = {"id": self._next, "body": body, "user": who, "author": who}
        self.comments.append(made)
        return made

    def bodies(self) -> list[str]:
        return [comment["body"] for comment in self.comments]

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.asked.append(f"{method} {path}")
        if path == "/user":
            return (403, {}) if "GITHUB" in self.tokens else (200, BOT)
        if path.endswith(("/pulls", "/merge_requests")):
            wanted = query.get("head", query.get("source_branch", [""]))[0].rpartition(":")[2]
            pull = {"number": self.number, "iid": self.number, "head": {"ref": self.branch}}
            return 200, [pull] if wanted == self.branch else []
        if method == "GET":
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, self.comments[(page - 1) * size : page * size]
        if self.read_only:
            return 403, {"message": "Resource not accessible by integration"}
        failure = self.failures.pop(0) if self.failures else 0
        if failure > 0:
            return failure, {}
        status, made = self._write(method, path, body)
        return (-failure, {}) if failure else (status, made)

    def _write(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if method == "POST":
            assert re.search(rf"/{self.number}/(comments|notes)$", path), path
            return 201, self.add(body["body"])
        number = int(path.rpartition("/")[2])
        one = next(comment for comment in self.comments if comment["id"] == number)
        if method == "DELETE":
            self.comments.remove(one)
            return 204, None
        assert method in ("PATCH", "PUT")
        one["body"] = body["body"]
        return 200, one


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return

    def _serve(self) -> None:
        forge: ForgeApi = self.server.forge  # type: ignore[attr-defined]
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"{}")
        token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
        forge.tokens.add(token.removeprefix("Bearer "))
        status, told = forge.answer(self.command, self.path, body)
        text = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve
