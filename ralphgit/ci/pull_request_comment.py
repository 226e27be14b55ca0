"""Keep one comment on a pull request up to date: it is found by its marker."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ralphgit.ci.job_environment import Job
from ralphgit.ci.rest_client import Api, Denied, Passing
from ralphgit.errors import RemoteUnavailable

_TRIES = 3


def of(job: Job, environ: Mapping[str, str]) -> Forge | None:
    """Return the forge that runs the job; None without a token for it."""
    if job.forge == "github":
        token, repository = environ.get("GITHUB_TOKEN", ""), environ.get("GITHUB_REPOSITORY", "")
        url = environ.get("GITHUB_API_URL", "https://api.github.com")
        return GitHub(url, token, repository) if token and repository else None
    token, project = environ.get("RALPH_CI_GITLAB_TOKEN", ""), environ.get("CI_PROJECT_ID", "")
    url = environ.get("CI_API_V4_URL", "")
    return GitLab(url, token, project) if token and project and url else None


def pause(environ: Mapping[str, str]) -> float:
    """Return the seconds before a request is repeated (RALPH_CI_PAUSE)."""
    try:
        return min(60.0, max(0.0, float(environ.get("RALPH_CI_PAUSE", "2"))))
    except ValueError:
        return 2.0


def put(forge: Forge, job: Job, marker: str, body: str, *, wait: float) -> bool:
    """Make `body` the one comment that begins with `marker`; False if there is no pull request.

    After a failure everything is read again, so that what was created in spite of it is found.

    Raises: Denied; RemoteUnavailable after three tries.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            return _put(forge, job, marker, body)
        except Passing as error:
            if attempt == _TRIES:
                raise RemoteUnavailable(
                    f"the comment could not be written: {error}",
                    code="comment_failed", hint="run the job again",
                ) from None  # fmt: skip
            time.sleep(wait * attempt)
    raise AssertionError("unreachable")


def _put(forge: Forge, job: Job, marker: str, body: str) -> bool:
    pull = job.pull or (forge.pull_of(job.source) if job.source else 0)
    if not pull:
        return False
    mine = _marked(forge, pull, marker)
    if mine:
        if mine[0][1].replace("\r\n", "\n").strip() != body.strip():
            forge.update(pull, mine[0][0], body)
    else:
        forge.create(pull, body)
        mine = _marked(forge, pull, marker)
    # Of two runs at once each may have found none.
    for comment, _ in mine[1:]:
        forge.delete(pull, comment)
    return True


def _marked(forge: Forge, pull: int, marker: str) -> list[tuple[int, str]]:
    return [one for one in forge.comments(pull) if one[1].startswith(marker)]


class GitHub:
    """GitHub's REST API. Each call raises as `Api.ask`."""

    def __init__(self, url: str, token: str, repository: str) -> None:
        self._owner = repository.partition("/")[0]
        self._repository = f"/repos/{quote(repository)}"
        headers = {"Authorization": f"Bearer {token}", "X-GitHub-Api-Version": "2022-11-28"}
        self._api = Api(url, {**headers, "Accept": "application/vnd.github+json"})

    def pull_of(self, branch: str) -> int:
        """Return the open pull request of a branch; 0 if there is none."""
        query = urlencode({"state": "open", "head": f"{self._owner}:{branch}"})
        found = self._api.all(f"{self._repository}/pulls?{query}")
        return next((int(one["number"]) for one in found if _of(one, "head", "ref") == branch), 0)

    def comments(self, pull: int) -> list[tuple[int, str]]:
        """List id and text of the comments that are our own, oldest first."""
        listed = self._api.all(f"{self._repository}/issues/{pull}/comments")
        # A person's comment that begins with our marker is that person's.
        people = [one for one in listed if _of(one, "user", "type") != "Bot"]
        login = self._login() if people else ""
        others = [one for one in people if not login or _of(one, "user", "login") != login]
        return [(int(one["id"]), str(one.get("body") or "")) for one in listed if one not in others]

    def create(self, pull: int, body: str) -> None:
        self._api.ask("POST", f"{self._repository}/issues/{pull}/comments", {"body": body})

    def update(self, pull: int, comment: int, body: str) -> None:
        self._api.ask("PATCH", f"{self._repository}/issues/comments/{comment}", {"body": body})

    def delete(self, pull: int, comment: int) -> None:
        self._api.ask("DELETE", f"{self._repository}/issues/comments/{comment}")

    def _login(self) -> str:
        """Return the token's owner; a workflow's own token has none."""
        try:
            return str((self._api.ask("GET", "/user") or {}).get("login") or "")
        except Denied:
            return ""


def _of(value: Mapping[str, Any], key: str, name: str) -> str:
    """The text of a field of a field."""
    found = value.get(key)
    return str(found.get(name)) if isinstance(found, dict) else ""


class GitLab:
    """GitLab's REST API."""

    def __init__(self, url: str, token: str, project: str) -> None:
        self._project = f"/projects/{quote(project, safe='')}/merge_requests"
        self._api = Api(url, {"PRIVATE-TOKEN": token})

    def pull_of(self, branch: str) -> int:
        query = urlencode({"state": "opened", "source_branch": branch})
        found = self._api.all(f"{self._project}?{query}")
        return next((int(one["iid"]) for one in found), 0)

    def comments(self, pull: int) -> list[tuple[int, str]]:
        me = (self._api.ask("GET", "/user") or {}).get("id")
        listed = self._api.all(f"{self._project}/{pull}/notes?sort=asc&order_by=created_at")
        return [
            (int(one["id"]), str(one.get("body") or ""))
            for one in listed
            if isinstance(one.get("author"), dict) and one["author"].get("id") == me
        ]

    def create(self, pull: int, body: str) -> None:
        self._api.ask("POST", f"{self._project}/{pull}/notes", {"body": body})

    def update(self, pull: int, comment: int, body: str) -> None:
        self._api.ask("PUT", f"{self._project}/{pull}/notes/{comment}", {"body": body})

    def delete(self, pull: int, comment: int) -> None:
        self._api.ask("DELETE", f"{self._project}/{pull}/notes/{comment}")


Forge = GitHub | GitLab
