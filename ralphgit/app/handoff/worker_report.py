"""Read the worker's report: claims to check, not evidence (SPEC 3.4)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ralphgit.app.workspace.project import Project
from ralphgit.errors import InvalidRecord, Refused
from ralphgit.model.active_claim import Lease
from ralphgit.model.handoff import REPORT, STATUSES
from ralphgit.records import atomic_files, yaml_reader
from ralphgit.records import input_limits as texts
from ralphgit.records.redact_secrets import redact, secrets_in

_MOST_TEXT = 8 * 1024


class Report(NamedTuple):
    status: str
    """One of STATUSES; "" where there is no report."""
    summary: str = ""
    concerns: tuple[str, ...] = ()
    question: str = ""
    options: tuple[str, ...] = ()
    message: str = ""
    """Of the commit that completes the task; "" for the usual one."""
    shared: bool = False
    """Whether what it asks is about the whole story."""


def read(top: str, secrets: tuple[str, ...]) -> Report:
    """Read the report of the worktree at `top`, without `secrets` and what looks like one.

    Raises: InvalidRecord where the report is not valid, or not a plain file of moderate size, with
    the sentence that the worker needs to fix it.
    """
    value = loaded(top, REPORT)
    if value is None:
        return Report("")
    if not isinstance(value, dict) or value.get("status") not in STATUSES:
        raise InvalidRecord(
            f"the report needs a status: one of {', '.join(STATUSES)}",
            file=REPORT,
            code="bad_report",
        )
    return Report(
        status=value["status"],
        summary=text(value, "summary", secrets, of=REPORT),
        concerns=texts_of(value, "concerns", secrets, of=REPORT),
        question=text(value, "question", secrets, of=REPORT),
        options=texts_of(value, "options", secrets, of=REPORT),
        message=text(value, "message", secrets, of=REPORT),
        shared=value.get("shared") is True,
    )


def loaded(top: str, path: str) -> object:
    """Load what an agent has written to `path`, YAML of moderate size; None where it has not.

    Raises: InvalidRecord, with the sentence that the agent needs to fix it.
    """
    try:
        data = atomic_files.read_plain(os.path.join(top, path), limit=texts.MAX_RECORD_BYTES)
        if data is None:
            return None
        return yaml_reader.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    except InvalidRecord as error:
        raise error.at(path) from None
    except Refused as error:
        raise InvalidRecord(
            f"{path} must be a plain file: {error.message.rpartition(': ')[2]}",
            code="bad_report",
            hint=f"remove {path}, then write it again",
        ) from None


def text(value: Mapping[str, object], key: str, secrets: tuple[str, ...], *, of: str) -> str:
    """Return a text of the file `of`, redacted and cut. Raises: InvalidRecord (bad_report)."""
    found = value.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise InvalidRecord(f"{key} must be text", file=of, code="bad_report")
    return redact(found.strip(), secrets)[:_MOST_TEXT]


def texts_of(
    value: Mapping[str, object], key: str, secrets: tuple[str, ...], *, of: str
) -> tuple[str, ...]:
    """Return a list of texts of the file `of`. Raises: InvalidRecord (bad_report)."""
    found = value.get(key)
    if isinstance(found, str):
        found = [found] if found.strip() else []
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise InvalidRecord(f"{key} must be a list of texts", file=of, code="bad_report")
    return tuple(redact(item.strip(), secrets)[:_MOST_TEXT] for item in found if item.strip())


def concerns(said: Report) -> tuple[str, ...]:
    """The concerns of a report; where it only says that there are some, its summary."""
    if said.status == "done_with_concerns" and not said.concerns:
        return (said.summary or "done with concerns",)
    return said.concerns


def of_claim(project: Project, claim: Lease) -> Report:
    """Read the report as `read` does, if it was written under this claim: an older one is about
    something else.
    """
    try:
        written = os.lstat(os.path.join(project.top, REPORT)).st_mtime
        begun = datetime.fromisoformat(claim.at).timestamp()
    except (OSError, ValueError):
        return Report("")
    return read(project.top, secrets_in(project.around.environ)) if written >= begun else Report("")


def clear(top: str) -> None:
    """Remove an earlier report, whatever it is. Raises: OSError."""
    remove(os.path.join(top, REPORT))


def remove(path: str) -> None:
    """Remove a file, a link or a whole folder, if it is there. Raises: OSError."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
