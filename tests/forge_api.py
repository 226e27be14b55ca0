"""Stand-ins for the forges' REST APIs on loopback."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

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


# -- Gitea ---------------------------------------------------------------------------------


class GiteaApi:
    """Gitea's REST API, as its documentation has it, over the pull requests of a `Forge`.

    Only the repository acme/proj is there, and only for who has the token.
    """

    def __init__(self, forge: Any, *, token: str = "t0ken") -> None:
        self.forge, self.token = forge, token
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _GiteaAnswer)
        self._server.daemon_threads = True
        self._server.forge = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, method: str, target: str, token: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = urlsplit(target)
        self.asked.append(f"{method} {target}")
        if token != f"token {self.token}":
            return 401, {"message": "token is required"}
        found = re.fullmatch(r"/api/v1/repos/acme/proj/(.+)", parts.path)
        if found is None:
            return 404, {"message": "The target couldn't be found."}
        words = [unquote(word) for word in found[1].split("/")]
        pulls = {str(pull["number"]): pull for pull in self.forge.pulls}
        match method, words:
            case "GET", ["pulls"]:
                assert parse_qs(parts.query)["state"] == ["open"]
                return 200, [self._pull(p) for p in pulls.values() if p["state"] == "OPEN"]
            case "POST", ["pulls"]:
                made = self.forge.open(body["head"], body["base"], body["title"], body["body"])
                self.forge.change(body["head"], url=f"{self.url}/acme/proj/pulls/{made['number']}")
                return 201, self._pull(self.forge.pulls[-1])
            case "GET", ["pulls", number]:
                return (200, self._pull(pulls[number])) if number in pulls else (404, {})
            case "POST", ["issues", number, "comments"]:
                self.forge.says(pulls[number]["head"], "us", body["body"], asks=False)
                return 201, {}
            case "PATCH", ["pulls", number]:
                self.forge.change(pulls[number]["head"], base=body["base"])
                return 201, self._pull(self.forge.pulls[int(number) - 1])
            case "GET", ["commits", commit, "status"]:
                judged = [p for p in pulls.values() if p.get("judged") == commit]
                names = [name for pull in judged for name in pull.get("failed", ())]
                told = [{"context": name, "status": "failure", "target_url": f"{self.url}/{name}"}
                        for name in names]  # fmt: skip
                return 200, {"state": "failure" if told else "success", "statuses": told}
            case "GET", ["pulls", number, "reviews"]:
                return 200, [
                    {"id": n, "user": {"login": one["by"]}, "state": "REQUEST_CHANGES",
                     "body": one["text"], "official": True, "dismissed": False,
                     "submitted_at": one["at"]}
                    for n, one in enumerate(pulls[number].get("said", ())) if one["asks"]
                ]  # fmt: skip
            case "GET", ["pulls", _, "reviews", _, "comments"]:
                return 200, []
            case "GET", ["issues", number, "comments"]:
                return 200, [
                    {"user": {"login": one["by"]}, "body": one["text"], "created_at": one["at"]}
                    for one in pulls[number].get("said", ()) if not one["asks"]
                ]  # fmt: skip
            case "POST", ["pulls", number, "merge"]:
                assert body["merge_when_checks_succeed"] is True
                self.forge.merge_or_wait(pulls[number], body["Do"])
                return 200, None
        return 404, {"message": f"{method} {words}"}

    def _pull(self, pull: dict[str, Any]) -> dict[str, Any]:
        merged = pull["state"] == "MERGED"
        return {
            "number": pull["number"], "html_url": pull["url"], "title": pull["title"],
            "state": "open" if pull["state"] == "OPEN" else "closed", "merged": merged,
            "mergeable": not merged, "merge_commit_sha": pull.get("commit"),
            "head": {"ref": pull["head"], "label": pull["head"], "sha": self.forge.tip(pull)},
            "base": {"ref": pull["base"]},
        }  # fmt: skip


class _GiteaAnswer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return

    def _serve(self) -> None:
        api: GiteaApi = self.server.forge  # type: ignore[attr-defined]
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size) or b"{}")
        token = self.headers.get("Authorization") or ""
        status, told = api.answer(self.command, self.path, token, body)
        text = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = _serve


# -- GitHub --------------------------------------------------------------------------------


class GitHubApi:
    """What the real `gh` asks GitHub of one pull request: it takes this for its proxy, and
    github.localhost for a host that it asks without TLS.
    """

    def __init__(self, pull: dict[str, Any], log: str = "") -> None:
        self.pull, self.log = pull, log
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _GitHubAnswer)
        self._server.daemon_threads = True
        self._server.forge = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> GitHubApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environ(self) -> dict[str, str]:
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        return {
            "GH_HOST": "github.localhost", "GH_TOKEN": "t0ken", "GH_ENTERPRISE_TOKEN": "t0ken",
            "HTTP_PROXY": proxy, "http_proxy": proxy,
        }  # fmt: skip


class _GitHubAnswer(_Answer):
    def _serve(self) -> None:
        api: GitHubApi = self.server.forge  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        path = self.path.removeprefix("http://api.github.localhost")
        api.asked.append(f"{self.command} {path}")
        kind, text = "application/json", "{}"
        if path == "/graphql":
            assert "query PullRequestByNumber(" in json.loads(body)["query"]
            text = json.dumps({"data": {"repository": {"pullRequest": api.pull}}})
        elif path.endswith("/logs"):
            kind, text = "text/plain", api.log
        elif "/comments?" in path:
            text = json.dumps(api.pull["inline"])
        data = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = _serve
