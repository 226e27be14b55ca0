"""Ask GitLab by its program, `glab`."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from ralphgit.app.forge import contract, places, program
from ralphgit.app.forge.contract import PullName, Request
from ralphgit.app.workspace.project import Project
from ralphgit.errors import RalphError
from ralphgit.model.pull_request import Check, PullSeen, PullState, Said

_STATES = {"merged": PullState.MERGED, "closed": PullState.CLOSED, "locked": PullState.MERGED}

#: So many merge requests of branches of one name are asked for, of any page at most.
_MOST = "100"

#: What asks for changes, and what else was written.
_Words = tuple[list[Said], list[Said]]


class GitLab:
    """GitLab, by `glab`."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find(self, branch: str) -> PullName | None:
        told = self._first(branch)
        found = told.get("web_url") or told.get("iid")
        return PullName(str(found)) if found else None

    def _first(self, branch: str, *which: str) -> dict[str, Any]:
        """The newest merge request of a branch of ours; others may call theirs so. Open ones alone,
        or `which`.
        """
        where, fork = places.repository(self._project, branch), places.fork(self._project, branch)
        asked = ("mr", "list", "--source-branch", branch, *which, "--per-page", _MOST)
        found = _mappings(self._json(*asked, "--output", "json", *where))
        if not found:
            return {}
        # All are to be merged into the base's project.
        source = self._fork_id(branch, fork) if fork else found[0].get("target_project_id")
        return next((one for one in found if one.get("source_project_id") == source), {})

    def _fork_id(self, branch: str, fork: str) -> object:
        remote = self._project.push_remote(branch)
        host = next(
            host for host, place in places.remote_places(self._project, remote) if place == fork
        )
        path = f"projects/{quote(fork, safe='')}"
        return _mapping(self._json("api", path, "--hostname", host)).get("id")

    def create(self, request: Request) -> str:
        where = places.repository(self._project, request.branch)
        fork = ("--head", request.fork, *where) if request.fork else ()
        return contract.url_in(self._ask(
            "mr", "create", "--source-branch", request.branch, "--target-branch", request.base,
            "--title", request.title, "--description", request.body, *fork, "--yes",
        ))  # fmt: skip

    def look(self, pull: PullName) -> PullSeen:
        told = _mapping(self._json("mr", "view", self._reference(pull), "--output", "json"))
        state = _STATES.get(str(told.get("state", "")).lower(), PullState.OPEN)
        url = str(told.get("web_url") or "")
        changes: list[Said] = []
        comments: list[Said] = []
        failed: list[Check] = []
        if state is PullState.OPEN and (place := places.address(url)):
            changes, comments = self._words(place, told)
            pipeline = _mapping(told.get("head_pipeline") or told.get("pipeline"))
            if pipeline.get("status") == "failed":
                failed = self._failed(place, pipeline)
        return PullSeen(
            state=state,
            url=url,
            number=str(told.get("iid") or ""),
            base=str(told.get("target_branch") or ""),
            commit=str(told.get("sha") or ""),
            conflicts=bool(told.get("has_conflicts")),
            failed=tuple(failed),
            changes=tuple(changes),
            comments=tuple(comments),
        )

    def _words(self, place: places.Address, told: dict[str, Any]) -> tuple[list[Said], list[Said]]:
        """What asks for changes, and what else people wrote.

        A reviewer asks for changes by saying so, or by a thread that has to be resolved.
        """
        path = f"merge_requests/{place.number}/discussions?per_page=100"
        notes = [
            note
            for thread in _mappings(self._api(place, path))
            for note in _mappings(thread.get("notes"))
            if not note.get("system")
        ]
        comments = [_said(note) for note in notes]
        status = told.get("detailed_merge_status")
        asked = status == "requested_changes"
        if not asked and told.get("blocking_discussions_resolved") is not False:
            return [], comments
        open_notes = [note for note in notes if note.get("resolvable") and not note.get("resolved")]
        changes = [_said(note) for note in open_notes]
        if asked and not changes:
            changes = comments or [Said("a reviewer", str(told.get("created_at") or ""), "")]
        return changes, comments

    def _failed(self, place: places.Address, pipeline: dict[str, Any]) -> list[Check]:
        path = f"pipelines/{pipeline.get('id')}/jobs?scope[]=failed"
        jobs = [job for job in _mappings(self._api(place, path)) if not job.get("allow_failure")]
        found = [
            Check(str(job.get("name")), str(job.get("web_url") or ""), str(job.get("id") or ""))
            for job in jobs
        ]
        return found or [Check("pipeline", str(pipeline.get("web_url") or ""))]

    def log(self, pull: PullName, check: Check) -> str:
        place = places.address(pull)
        if place is None or not check.job:
            return ""
        return self._ask("api", *_project(place, f"jobs/{check.job}/trace"))

    def merge_when_allowed(self, pull: PullName, method: str, commit: str) -> None:
        how = () if method == "merge" else (f"--{method}",)
        self._ask(
            "mr", "merge", self._reference(pull), "--auto-merge", *how, "--sha", commit, "--yes"
        )

    def retarget(self, pull: PullName, base: str) -> None:
        place = places.address(pull)
        if place is None:
            self._ask("mr", "update", self._reference(pull), "--target-branch", base)
            return
        # Whether `mr update` has --yes, and asks without it, is a matter of glab's version.
        path = _project(place, f"merge_requests/{place.number}")
        self._ask("api", *path, "--method", "PUT", "--raw-field", f"target_branch={base}")

    def comment(self, pull: PullName, text: str) -> None:
        self._ask("mr", "note", self._reference(pull), "--message", text)

    def merged_commit(self, pull: PullName) -> str:
        told = _mapping(self._json("mr", "view", self._reference(pull), "--output", "json"))
        names = ("merge_commit_sha", "squash_commit_sha", "sha")
        commit = next((str(told[name]) for name in names if told.get(name)), "")
        return commit if told.get("state") == "merged" else ""

    def _reference(self, pull: str) -> str:
        """The number of a merge request: `glab` takes a branch for any that is called so."""
        place = places.address(pull)
        if place is not None or pull.isdecimal():
            return place.number if place is not None else pull
        if number := self._first(pull, "--all").get("iid"):
            return str(number)
        raise RalphError(
            f"there is no merge request of {pull}", code="forge_failed",
            hint="ralphgit status --fetch",
        )  # fmt: skip

    def _api(self, place: places.Address, path: str) -> object:
        return self._json("api", *_project(place, path))

    def _ask(self, *words: str) -> str:
        return program.ask(self._project, "glab", *words)

    def _json(self, *words: str) -> object:
        return program.answer(self._project, "glab", *words)


def _project(place: places.Address, path: str) -> tuple[str, ...]:
    return f"projects/{quote(place.repository, safe='')}/{path}", "--hostname", place.host


def _said(note: dict[str, Any]) -> Said:
    position = _mapping(note.get("position"))
    line = position.get("new_line") or position.get("old_line")
    return Said(
        str(_mapping(note.get("author")).get("username") or "somebody"),
        str(note.get("created_at") or ""),
        str(note.get("body") or ""),
        program.line_of(position.get("new_path") or position.get("old_path"), line),
    )


_mapping, _mappings = program.mapping, program.mappings
