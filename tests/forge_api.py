"""Stand-ins for the forges' REST APIs on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from servers import Answer, Cgi, Served

BOT = {"login": "github-actions[bot]", "type": "Bot", "id": 1}
PERSON = {"login": "mallory", "type": "User", "id": 2}


class ForgeApi(Served):
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
        super().__init__(_Answer, forge=self)

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


class _Answer(Answer):
    def _serve(self) -> None:
        forge: ForgeApi = self.server.forge  # type: ignore[attr-defined]
        body = json.loads(self.body() or b"{}")
        token = self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN") or ""
        forge.tokens.add(token.removeprefix("Bearer "))
        status, told = forge.answer(self.command, self.path, body)
        self.answer(status, b"" if told is None else json.dumps(told).encode())

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve


# -- Gitea ---------------------------------------------------------------------------------


class GiteaApi(Served):
    """Gitea's REST API, as its documentation has it, over the pull requests of a `Forge`.

    Only the repository acme/proj is there, and only for who has the token.
    """

    def __init__(self, forge: Any, *, token: str = "t0ken") -> None:
        self.forge, self.token = forge, token
        self.asked: list[str] = []
        super().__init__(_GiteaAnswer, forge=self)

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
                if not self.forge.merge_or_wait(pulls[number], body["Do"], body["head_commit_id"]):
                    return 409, {"message": "head out of date"}
                return 200, None
        return 404, {"message": f"{method} {words}"}

    def _pull(self, pull: dict[str, Any]) -> dict[str, Any]:
        merged, (owner, _, ref) = pull["state"] == "MERGED", pull["head"].rpartition(":")
        return {
            "number": pull["number"], "html_url": pull["url"], "title": pull["title"],
            "state": "open" if pull["state"] == "OPEN" else "closed", "merged": merged,
            "mergeable": not merged, "merge_commit_sha": pull.get("commit"),
            "head": {"ref": ref, "label": pull["head"], "sha": self.forge.tip(pull),
                     "repo": {"full_name": f"{owner or 'acme'}/proj"}},
            "base": {"ref": pull["base"]},
        }  # fmt: skip


class _GiteaAnswer(Answer):
    def _serve(self) -> None:
        api: GiteaApi = self.server.forge  # type: ignore[attr-defined]
        body = json.loads(self.body() or b"{}")
        token = self.headers.get("Authorization") or ""
        status, told = api.answer(self.command, self.path, token, body)
        self.answer(status, b"" if told is None else json.dumps(told).encode())

    do_GET = do_POST = do_PATCH = _serve


# -- GitHub --------------------------------------------------------------------------------


class GitHubApi(Served):
    """What the real `gh` asks GitHub of one pull request: it takes this for its proxy, and
    github.localhost for a host that it asks without TLS.
    """

    def __init__(self, pull: dict[str, Any], log: str = "") -> None:
        self.pull, self.log = pull, log
        self.asked: list[str] = []
        super().__init__(_GitHubAnswer, forge=self)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "GH_HOST": "github.localhost", "GH_TOKEN": "t0ken", "GH_ENTERPRISE_TOKEN": "t0ken",
            "HTTP_PROXY": self.url, "http_proxy": self.url,
        }  # fmt: skip


class _GitHubAnswer(Answer):
    def _serve(self) -> None:
        api: GitHubApi = self.server.forge  # type: ignore[attr-defined]
        body = self.body()
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
        self.answer(200, text.encode(), Content_Type=kind)

    do_GET = do_POST = _serve


# -- GitLab --------------------------------------------------------------------------------


class GitLabApi(Served):
    """GitLab's REST API over the pull requests of a `Forge`, and its repository over HTTP: what
    the real `glab` and git ask for.
    """

    def __init__(self, forge: Any, environ: Mapping[str, str]) -> None:
        self.forge, self.folder, self.environ = forge, forge.folder, dict(environ)
        self.asked: list[str] = []
        self._rebased: set[str] = set()
        (self.folder / "acme").mkdir()
        (self.folder / "acme" / "proj.git").symlink_to("../origin.git")
        super().__init__(_GitLabAnswer, forge=self, folder=self.folder, environ=self.environ)
        config = self.folder / "glab" / "config.yml"
        config.parent.mkdir()
        config.write_text(
            "git_protocol: http\ncheck_update: false\nhost: 127.0.0.1\nhosts:\n  127.0.0.1:\n"
            f"    token: t0ken\n    api_protocol: http\n    api_host: {self.address}\n"
            "    git_protocol: http\n"
        )
        config.chmod(0o600)

    @property
    def program(self) -> dict[str, str]:
        """What has `glab` ask here, without a word of its own."""
        return {"GLAB_CONFIG_DIR": str(self.folder / "glab"), "GITLAB_HOST": "127.0.0.1",
                "NO_PROMPT": "true", "GLAB_SEND_TELEMETRY": "false"}  # fmt: skip

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.asked.append(f"{method} {target}")
        words = [unquote(word) for word in parts.path.removeprefix("/api/v4/").split("/")]
        pulls = {str(pull["number"]): pull for pull in self.forge.pulls}
        match method, words:
            case "GET", ["user"]:
                return 200, {"id": 1, "username": "us", "name": "Us"}
            case "GET", ["projects", "acme/proj" | "1"]:
                return 200, self._project()
            case "GET", ["projects", _, "repository", "branches", name]:
                return 200, {"name": name}
            case "GET", ["projects", _, "merge_requests"]:
                (branch,) = query.get("source_branch", [""])
                return 200, [self._shown(one) for one in pulls.values()
                             if one["head"] == branch
                             and (one["state"] == "OPEN" or "state" not in query)]  # fmt: skip
            case "POST", ["projects", _, "merge_requests"]:
                made = self.forge.open(body["source_branch"], body["target_branch"], body["title"],
                                       body["description"])  # fmt: skip
                url = f"http://127.0.0.1/acme/proj/-/merge_requests/{made['number']}"
                self.forge.change(body["source_branch"], url=url)
                return 201, self._shown(self.forge.pulls[-1])
            case "GET", ["projects", _, "merge_requests", number]:
                return 200, self._shown(pulls[number])
            case "PUT", ["projects", _, "merge_requests", number]:
                self.forge.change(pulls[number]["head"], base=body["target_branch"])
                return 200, self._shown(pulls[number])
            case "PUT", ["projects", _, "merge_requests", number, "rebase"]:
                self._rebased.add(number)
                return 202, {"rebase_in_progress": False}
            case "PUT", ["projects", _, "merge_requests", number, "merge"]:
                method = "squash" if body.get("squash") else "merge"
                method = "rebase" if number in self._rebased else method
                assert body.get("auto_merge") or body.get("merge_when_pipeline_succeeds"), body
                if not self.forge.merge_or_wait(pulls[number], method, body["sha"]):
                    return 409, {"message": "SHA does not match HEAD of source branch"}
                return 200, self._shown(self.forge.pulls[int(number) - 1])
            case "POST", ["projects", _, "merge_requests", number, "notes"]:
                self.forge.says(pulls[number]["head"], "us", body["body"], asks=False)
                return 201, {"id": 1, "body": body["body"]}
            case "GET", ["projects", _, "merge_requests", number, "discussions"]:
                return 200, [
                    {"notes": [{"author": {"username": one["by"]}, "created_at": one["at"],
                                "body": one["text"], "resolvable": one["asks"],
                                "resolved": False, "system": False}]}
                    for one in pulls[number].get("said", ())
                ]  # fmt: skip
            case "GET", ["projects", _, "pipelines", number, "jobs"]:
                pull = pulls[number]
                return 200, [
                    {"id": 70 + n, "name": name, "web_url": f"{pull['url']}/job/{70 + n}"}
                    for n, name in enumerate(pull.get("failed", ()))
                ]  # fmt: skip
            case "GET", ["projects", _, "jobs", number, "trace"]:
                return 200, self.forge.logs[number]
        return 404, {"message": f"404 {method} {words}"}

    def _project(self) -> dict[str, Any]:
        web = f"http://{self.address}/acme/proj"
        return {
            "id": 1, "name": "proj", "path": "proj", "path_with_namespace": "acme/proj",
            "default_branch": "main", "web_url": web, "http_url_to_repo": f"{web}.git",
            "ssh_url_to_repo": f"git@{self.address}:acme/proj.git", "merge_requests_enabled": True,
        }  # fmt: skip

    def _shown(self, pull: dict[str, Any]) -> dict[str, Any]:
        state = {"OPEN": "opened"}.get(pull["state"], pull["state"].lower())
        status = (
            "failed" if self.forge.is_red(pull) else "running" if self.forge.hold else "success"
        )
        pipeline = {"id": pull["number"], "iid": 1, "status": status, "sha": self.forge.tip(pull),
                    "web_url": f"{pull['url']}/pipelines"}  # fmt: skip
        return {
            "id": pull["number"], "iid": pull["number"], "project_id": 1, "title": pull["title"],
            "web_url": pull["url"], "state": state, "sha": self.forge.tip(pull),
            "source_branch": pull["head"], "target_branch": pull["base"], "has_conflicts": False,
            "source_project_id": 1, "target_project_id": 1, "draft": False,
            "merge_status": "can_be_merged", "detailed_merge_status": "mergeable",
            "blocking_discussions_resolved":
                not any(one["asks"] for one in pull.get("said", ())),
            "head_pipeline": pipeline, "pipeline": pipeline, "rebase_in_progress": False,
            "merge_commit_sha": pull.get("commit"), "user": {"can_merge": True},
            "author": {"id": 1, "username": "us"}, "created_at": "2026-11-29T12:00:00Z",
        }  # fmt: skip


class _GitLabAnswer(Cgi):
    def _serve(self) -> None:
        api: GitLabApi = self.server.forge  # type: ignore[attr-defined]
        if not self.path.startswith("/api/v4/"):
            super()._serve()
            return
        text = self.body()
        kind = self.headers.get("Content-Type") or ""
        body = json.loads(text or b"{}") if "json" in kind else {
            name: words[0] for name, words in parse_qs(text.decode()).items()
        }  # fmt: skip
        assert self.headers.get("PRIVATE-TOKEN") == "t0ken"
        status, told = api.answer(self.command, self.path, body)
        is_text = isinstance(told, str)
        data = told.encode() if is_text else json.dumps(told).encode()
        self.answer(status, data, Content_Type="text/plain" if is_text else "application/json")

    do_GET = do_POST = do_PUT = _serve
