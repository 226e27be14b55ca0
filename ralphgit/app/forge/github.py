"""Ask GitHub by its program, `gh`."""

from __future__ import annotations

import re
from typing import Any

from ralphgit.app.forge import contract, places, program
from ralphgit.app.forge.contract import PullName, Request
from ralphgit.app.workspace.project import Project
from ralphgit.model.pull_request import Check, PullSeen, PullState, Said

_FIELDS = (
    "number,url,state,baseRefName,headRefOid,mergeable,latestReviews,comments,statusCheckRollup"
)
#: So many pull requests of branches of one name are asked for.
_MOST = "200"
_FAILED = frozenset(("FAILURE", "ERROR", "TIMED_OUT", "STARTUP_FAILURE", "CANCELLED"))
#: Whose words count as a review: on a public repository everybody can write one.
_TRUSTED = frozenset(("OWNER", "MEMBER", "COLLABORATOR"))
_JOB = re.compile(r"https?://.+/job/(\d+)")


class GitHub:
    """GitHub, by `gh`."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self, branch: str) -> PullName | None:
        where, fork = places.repository(self._project, branch), places.fork(self._project, branch)
        found = self._json(
            "pr", "list", "--head", branch, "--state", "open", "--limit", _MOST,
            "--json", "number,url,isCrossRepository,headRepositoryOwner", *where,
        )  # fmt: skip
        names = (
            one.get("url") or one.get("number") for one in _mappings(found) if _is_of(one, fork)
        )
        first = next(names, None)
        return PullName(str(first)) if first else None

    def create(self, request: Request) -> str:
        return contract.url_in(self._ask(
            "pr", "create", "--base", request.base, "--head", request.head,
            "--title", request.title, "--body-file", request.file,
            *places.repository(self._project, request.branch),
        ))  # fmt: skip

    def look(self, pull: PullName) -> PullSeen:
        told = _mapping(self._json("pr", "view", pull, "--json", _FIELDS))
        reviews, comments = _mappings(told.get("latestReviews")), _mappings(told.get("comments"))
        asking = [
            _said(one, "submittedAt")
            for one in reviews
            if one.get("state") == "CHANGES_REQUESTED" and one.get("authorAssociation") in _TRUSTED
        ]
        url = str(told.get("url") or "")
        return PullSeen(
            state=_state(told),
            url=url,
            number=str(told.get("number") or ""),
            base=str(told.get("baseRefName") or ""),
            commit=str(told.get("headRefOid") or ""),
            conflicts=told.get("mergeable") == "CONFLICTING",
            failed=tuple(_failed(_mappings(told.get("statusCheckRollup")))),
            changes=(*asking, *(self._inline(url, {one.by for one in asking}) if asking else ())),
            comments=(
                *(_said(one, "createdAt") for one in comments),
                *(_said(one, "submittedAt") for one in reviews if one.get("body")),
            ),
        )

    def _inline(self, url: str, names: set[str]) -> list[Said]:
        """What these people say of single lines."""
        place = places.address(url)
        if place is None:
            return []
        found = self._json(
            "api", f"repos/{place.repository}/pulls/{place.number}/comments?per_page=100",
            "--hostname", place.host,
        )  # fmt: skip
        return [
            Said(
                _name(one.get("user")), str(one.get("created_at") or ""),
                str(one.get("body") or ""), program.line_of(one.get("path"), one.get("line")),
            )
            for one in _mappings(found)
            if _name(one.get("user")) in names
        ]  # fmt: skip

    def log(self, pull: PullName, check: Check) -> str:
        place = places.address(pull)
        if place is None or not check.job:
            return ""
        path = f"repos/{place.repository}/actions/jobs/{check.job}/logs"
        return self._ask("api", path, "--hostname", place.host)

    def merge_when_allowed(self, pull: PullName, method: str, commit: str) -> None:
        self._ask("pr", "merge", pull, "--auto", f"--{method}", "--match-head-commit", commit)

    def retarget(self, pull: PullName, base: str) -> None:
        self._ask("pr", "edit", pull, "--base", base)

    def comment(self, pull: PullName, text: str) -> None:
        self._ask("pr", "comment", pull, "--body", text)

    def merged_commit(self, pull: PullName) -> str:
        told = _mapping(self._json("pr", "view", pull, "--json", "state,mergeCommit"))
        commit = _mapping(told.get("mergeCommit")).get("oid")
        return str(commit or "") if _state(told) is PullState.MERGED else ""

    def _ask(self, *words: str) -> str:
        return program.ask(self._project, "gh", *words)

    def _json(self, *words: str) -> object:
        return program.answer(self._project, "gh", *words)


def _is_of(told: dict[str, Any], fork: str) -> bool:
    """Whether the branch is in the base's repository, or in `fork`: others may call theirs so."""
    if not fork:
        return told.get("isCrossRepository") is False
    return _name(told.get("headRepositoryOwner")).casefold() == fork.partition("/")[0].casefold()


def _state(told: dict[str, Any]) -> PullState:
    words = {"merged": PullState.MERGED, "closed": PullState.CLOSED}
    return words.get(str(told.get("state", "")).lower(), PullState.OPEN)


def _failed(checks: list[dict[str, Any]]) -> list[Check]:
    """The failed ones among check runs (`conclusion`) and commit statuses (`state`)."""
    found = []
    for one in checks:
        if str(one.get("conclusion") or one.get("state") or "").upper() not in _FAILED:
            continue
        url = str(one.get("detailsUrl") or one.get("targetUrl") or "")
        names = filter(None, (one.get("workflowName"), one.get("name") or one.get("context")))
        job = _JOB.fullmatch(url)
        found.append(Check(" / ".join(map(str, names)), url, job[1] if job else ""))
    return found


def _said(one: dict[str, Any], time: str) -> Said:
    return Said(_name(one.get("author")), str(one.get(time) or ""), str(one.get("body") or ""))


def _name(who: object) -> str:
    return str(_mapping(who).get("login") or "somebody")


_mapping, _mappings = program.mapping, program.mappings
