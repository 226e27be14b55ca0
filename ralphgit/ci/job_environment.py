"""Read what a CI run is about from the variables and the event that the forge gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ralphgit.errors import UsageError


class Job(NamedTuple):
    """What is judged, and where it is reported."""

    forge: str
    """github or gitlab."""
    head: str
    """The commit that is judged."""
    base: str = ""
    """What it is judged against; "" where there is nothing."""
    onto: str = ""
    """The base's branch, whose tip counts where it has come further than `base`."""
    merged: bool = True
    """Judge the merged result; else the range from `base`, as a push to the base itself."""
    branch: str = ""
    """The base branch of the project."""
    pull: int = 0
    """The pull request to comment on; 0 if it is not known."""
    source: str = ""
    """The branch that was pushed: its pull request is commented on only if it conflicts, as then
    no run of its own does so."""
    fork: bool = False
    """The branch is another repository's, and the token may not write."""
    comment: bool = True
    strict: bool = False
    report: str = ""
    """Where the SARIF log, or GitLab's Code Quality report, goes."""
    summary: str = ""
    """Where the job summary goes."""


def github(environ: Mapping[str, str]) -> Job:
    """Read the job of a run of GitHub Actions. Raises: UsageError."""
    event, name = _event(environ), environ.get("GITHUB_EVENT_NAME", "")
    default = _text(event, "repository", "default_branch") or "main"
    sha = environ.get("GITHUB_SHA", "") or "HEAD"
    job = _asked(environ)._replace(
        forge="github", branch=default, summary=environ.get("GITHUB_STEP_SUMMARY", "")
    )
    if name == "pull_request_target":
        raise UsageError(
            "this does not run on pull_request_target, which mixes secrets with others' content",
            hint="use on: pull_request",
        )
    if name == "pull_request":
        pull = event.get("pull_request")
        pull = pull if isinstance(pull, dict) else {}
        branch, source = _text(pull, "base", "ref"), _text(pull, "head", "repo", "full_name")
        job = job._replace(
            head=_text(pull, "head", "sha"), base=_text(pull, "base", "sha"), onto=branch,
            branch=branch, pull=_number(pull.get("number")),
            fork=source != _text(event, "repository", "full_name"),
        )  # fmt: skip
    elif name == "merge_group":
        head, base, ref = (
            _text(event, "merge_group", key) for key in ("head_sha", "base_sha", "base_ref")
        )
        branch = ref.removeprefix("refs/heads/")
        job = job._replace(head=head, base=base, branch=branch, comment=False)
    else:
        pushed = name == "push"
        before, after = (_text(event, key) if pushed else "" for key in ("before", "after"))
        job = _pushed(job, environ.get("GITHUB_REF", ""), default, before, after or sha)
    return _complete(job, environ)


def gitlab(environ: Mapping[str, str]) -> Job:
    """Read a job of GitLab CI. Raises: UsageError."""
    default, sha = environ.get("CI_DEFAULT_BRANCH", "main"), environ.get("CI_COMMIT_SHA", "HEAD")
    job = _asked(environ)._replace(forge="gitlab", branch=default)
    if environ.get("CI_PIPELINE_SOURCE") == "merge_request_event":
        target = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", default)
        job = job._replace(
            # In a merge train and for merged results, CI_COMMIT_SHA is a merge already.
            head=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or sha,
            base=environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")
            or environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
            onto=target,
            branch=target,
            pull=_number(environ.get("CI_MERGE_REQUEST_IID")),
            fork=environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != environ.get("CI_PROJECT_ID"),
        )
    else:
        branch = environ.get("CI_COMMIT_BRANCH", "")
        ref = f"refs/heads/{branch}" if branch else ""
        job = _pushed(job, ref, default, environ.get("CI_COMMIT_BEFORE_SHA", ""), sha)
    return _complete(job, environ)


def _pushed(job: Job, ref: str, default: str, before: str, after: str) -> Job:
    branch = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""
    if not after.strip("0"):
        return job._replace(head="")
    if not branch:
        return job._replace(head=after, comment=False)
    if branch == default:
        known = before if before.strip("0") else ""
        return job._replace(head=after, base=known, merged=False, comment=False)
    return job._replace(head=after, onto=default, source=branch)


def _asked(environ: Mapping[str, str]) -> Job:
    """What the user of the job wants."""
    return Job(
        forge="", head="", comment=_truth(environ, "RALPH_CI_COMMENT", True),
        strict=_truth(environ, "RALPH_CI_STRICT", False),
        report=environ.get("RALPH_CI_REPORT", ""),
    )  # fmt: skip


def _complete(job: Job, environ: Mapping[str, str]) -> Job:
    if (base := environ.get("RALPH_CI_BASE", "")) and job.head:
        job = job._replace(base=base, onto="", merged=True)
    return job


def _event(environ: Mapping[str, str]) -> dict[str, Any]:
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the event cannot be read: GITHUB_EVENT_PATH is {path!r}; is this GitHub Actions?",
            hint="ralphgit check --base REF",
        ) from error
    return found if isinstance(found, dict) else {}


def _text(value: object, *path: str) -> str:
    """The text at `path`; "" where there is none. What begins with a dash is none."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) and not value.startswith("-") else ""


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0


def _truth(environ: Mapping[str, str], name: str, default: bool) -> bool:
    text = environ.get(name, "").strip().lower()
    if text not in ("", "true", "false", "yes", "no", "1", "0"):
        raise UsageError(f"{name} is {text!r}, and should be true or false", hint=f"{name}=true")
    return text in ("true", "yes", "1") if text else default
