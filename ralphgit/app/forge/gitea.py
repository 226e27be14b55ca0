"""Ask Gitea or Forgejo by their REST API (`/api/v1`).

The address is that of the base's remote, and so is the host that gets the token: it goes nowhere
else, redirects included. It is the one of the environment (`GITEA_TOKEN`, `FORGEJO_TOKEN`), else
what git's credential helpers have for that host.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlsplit

from ralphgit.app.forge import places, program
from ralphgit.app.forge.contract import PullName, Request
from ralphgit.app.workspace.project import Project
from ralphgit.errors import NeedsPerson, RalphError, RemoteUnavailable
from ralphgit.model.printable import shown_address
from ralphgit.model.pull_request import Check, PullSeen, PullState, Said

TOKENS = ("GITEA_TOKEN", "FORGEJO_TOKEN")
_MOST_BYTES = 16 * 1024 * 1024
_FAILED = ("failure", "error")
_PASSING = (408, 425, 429)


class Gitea:
    """Gitea or Forgejo, by REST."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._opener = urllib.request.build_opener(_NoRedirect())

    def find(self, branch: str) -> PullName | None:
        whose = (places.fork(self._project, branch) or self._repository).casefold()
        for one in self._mappings("pulls?state=open&sort=recentupdate&limit=50"):
            head = _mapping(one.get("head"))
            repository = str(_mapping(head.get("repo")).get("full_name") or "")
            # In a repository of its own anybody may have a branch of this name.
            if head.get("ref") == branch and repository.casefold() == whose:
                return PullName(str(one.get("html_url") or one.get("number")))
        return None

    def create(self, request: Request) -> str:
        made = self._ask("POST", "pulls", {
            "head": request.head, "base": request.base, "title": request.title,
            "body": request.body,
        })  # fmt: skip
        return str(_mapping(made).get("html_url") or "")

    def look(self, pull: PullName) -> PullSeen:
        told = self._pull(pull)
        number, commit = str(told.get("number")), str(_mapping(told.get("head")).get("sha") or "")
        state = PullState.CLOSED if told.get("state") == "closed" else PullState.OPEN
        state = PullState.MERGED if told.get("merged") else state
        failed: list[Check] = []
        changes: list[Said] = []
        comments: list[Said] = []
        if state is PullState.OPEN:
            status = _mapping(self._ask("GET", f"commits/{commit}/status")) if commit else {}
            failed = [
                Check(str(one.get("context") or "check"), str(one.get("target_url") or ""))
                for one in program.mappings(status.get("statuses"))
                if one.get("status", one.get("state")) in _FAILED
            ]
            changes, comments = self._reviews(number)
            said = self._mappings(f"issues/{number}/comments")
            comments += [_said(one, "created_at") for one in said]
        # `mergeable` is false while the forge still looks, too: where it conflicts is seen here.
        return PullSeen(
            state=state,
            url=str(told.get("html_url") or ""),
            number=number,
            base=str(_mapping(told.get("base")).get("ref") or ""),
            commit=commit,
            failed=tuple(failed),
            changes=tuple(changes),
            comments=tuple(comments),
        )

    def _reviews(self, number: str) -> tuple[list[Said], list[Said]]:
        """What asks for changes, the last review of each person, and what else reviews say."""
        last: dict[str, dict[str, Any]] = {}
        comments = []
        for one in self._mappings(f"pulls/{number}/reviews?limit=50"):
            if one.get("state") in ("APPROVED", "REQUEST_CHANGES") and not one.get("dismissed"):
                last[_name(one.get("user"))] = one
            elif one.get("body"):
                comments.append(_said(one, "submitted_at"))
        changes = []
        for one in last.values():
            if one.get("state") != "REQUEST_CHANGES" or one.get("official") is False:
                continue
            changes.append(_said(one, "submitted_at"))
            lines = self._mappings(f"pulls/{number}/reviews/{one.get('id')}/comments")
            changes += [_said(line, "created_at") for line in lines]
        return changes, comments

    def log(self, pull: PullName, check: Check) -> str:
        return ""  # only an address is told of a status, and what is there is made for people

    def merge_when_allowed(self, pull: PullName, method: str, commit: str) -> None:
        number = self._pull(pull).get("number")
        self._ask("POST", f"pulls/{number}/merge", {
            "Do": method, "merge_when_checks_succeed": True, "head_commit_id": commit,
        })  # fmt: skip

    def retarget(self, pull: PullName, base: str) -> None:
        self._ask("PATCH", f"pulls/{self._pull(pull).get('number')}", {"base": base})

    def comment(self, pull: PullName, text: str) -> None:
        number = self._pull(pull).get("number")
        self._ask("POST", f"issues/{number}/comments", {"body": text})

    def merged_commit(self, pull: PullName) -> str:
        told = self._pull(pull)
        return str(told.get("merge_commit_sha") or "") if told.get("merged") else ""

    # -- requests --------------------------------------------------------------------------

    def _pull(self, pull: str) -> dict[str, Any]:
        """The pull request of this address, number or branch."""
        place = places.address(pull)
        number = place.number if place is not None else pull
        if number.isdecimal():
            return _mapping(self._ask("GET", f"pulls/{number}"))
        base = quote(self._project.base.branch, safe="")
        return _mapping(self._ask("GET", f"pulls/{base}/{quote(pull, safe='')}"))

    def _mappings(self, path: str) -> list[dict[str, Any]]:
        return program.mappings(self._ask("GET", path))

    @cached_property
    def _place(self) -> tuple[str, str, str]:
        """Scheme, host and path of the repository, from the base's remote."""
        name = self._project.base.remote
        url = self._project.repository.config.get(f"remote.{name}.url", "")
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.netloc:
            path = parts.path.strip("/").removesuffix(".git")
            return parts.scheme, parts.netloc.rpartition("@")[2], path
        for host, repository in places.remote_places(self._project, name):
            if "/" in repository and host:
                return "https", host, repository
        shown = shown_address(url) or "it has none"
        raise RalphError(
            f"the address of {name} does not say where its API is: {shown}",
            code="no_forge", hint="git remote set-url NAME https://HOST/OWNER/REPOSITORY.git",
        )  # fmt: skip

    @property
    def _repository(self) -> str:
        return "/".join(self._place[2].split("/")[-2:])

    @cached_property
    def _token(self) -> str:
        environ = self._project.around.environ
        if found := next((environ[name] for name in TOKENS if environ.get(name)), ""):
            return found
        scheme, host, path = self._place
        asked = f"protocol={scheme}\nhost={host}\npath={path}.git\n\n".encode()
        result = self._project.repository.git.try_run(
            "credential", "fill", stdin=asked, timeout=self._project.config.fetch_timeout
        )
        lines = result.out.decode("utf-8", "replace").split("\n")
        told = dict(line.split("=", 1) for line in lines if "=" in line)
        return told.get("password", "") if result.status == 0 else ""

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> object:
        """The JSON that the repository's API answers with, below `path`."""
        scheme, host, whole = self._place
        above = "/".join(whole.split("/")[:-2])
        root = f"{scheme}://{host}/{above}/" if above else f"{scheme}://{host}/"
        headers = {"User-Agent": "ralphgit", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"token {self._token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(
            f"{root}api/v1/repos/{self._repository}/{path}",
            method=method, headers=headers,
            data=None if body is None else json.dumps(body).encode(),
        )  # fmt: skip
        what = f"{host}: {method} {path.partition('?')[0]}"
        try:
            with self._opener.open(request, timeout=self._project.config.fetch_timeout) as answer:
                text = answer.read(_MOST_BYTES)
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, what) from None
        except (OSError, ValueError) as error:
            said = getattr(error, "reason", error)
            raise RemoteUnavailable(f"{what}: {said}", hint="check the network") from error
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise RalphError(
                f"{what} did not answer with JSON", code="forge_failed",
                hint="is this a Gitea or Forgejo? (land.via)",
            ) from None  # fmt: skip


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token along to wherever it leads."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


def _refusal(error: urllib.error.HTTPError, what: str) -> RalphError:
    try:
        told = json.loads(error.read(_MOST_BYTES) or b"{}")
    except (ValueError, OSError):
        told = {}
    said = str(_mapping(told).get("message") or error.reason).split("\n")[0]
    sentence = f"{what}: HTTP {error.code} {said}"
    if error.code >= 500 or error.code in _PASSING:
        return RemoteUnavailable(sentence, hint="check the network")
    if error.code in (401, 403):
        return NeedsPerson(
            f"{sentence}; the branch is pushed and nothing is lost: log in, then repeat",
            code="forge_login",
            hint="export GITEA_TOKEN=TOKEN, or have git's credential helper keep it",
        )
    return RalphError(
        f"{sentence}; the branch is pushed and nothing is lost",
        code="forge_failed", hint="ralphgit status --fetch",
    )  # fmt: skip


def _said(one: dict[str, Any], time: str) -> Said:
    return Said(
        _name(one.get("user")), str(one.get(time) or ""), str(one.get("body") or ""),
        program.line_of(one.get("path"), one.get("position")),
    )  # fmt: skip


def _name(who: object) -> str:
    return str(_mapping(who).get("login") or "somebody")


_mapping = program.mapping
