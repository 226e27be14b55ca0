"""The worker's report: a claim to check, not evidence (SPEC 3.4)."""

from __future__ import annotations

import os
from typing import NamedTuple

from ralphgit.errors import InvalidRecord
from ralphgit.model.packet import REPORT, STATUSES
from ralphgit.records import files, plain
from ralphgit.records import text as texts

_MOST_TEXT = 8 * 1024


class Report(NamedTuple):
    status: str
    """One of STATUSES; "" where there is no report."""
    summary: str = ""
    concerns: tuple[str, ...] = ()
    question: str = ""
    options: tuple[str, ...] = ()


def read(top: str) -> Report:
    """The report of the worktree at `top`.

    Raises: InvalidRecord for what is outside the vocabulary, with the sentence that the
    worker needs to mend it.
    """
    data = files.read(os.path.join(top, REPORT))
    if data is None:
        return Report("")
    try:
        value = plain.load(texts.decode(data, limit=texts.MAX_RECORD_BYTES))
    except InvalidRecord as error:
        raise error.at(REPORT) from None
    if not isinstance(value, dict) or value.get("status") not in STATUSES:
        raise InvalidRecord(
            f"a report has a status: {', '.join(STATUSES)}", file=REPORT, code="bad_report"
        )
    return Report(
        status=value["status"],
        summary=_text(value, "summary"),
        concerns=_texts(value, "concerns"),
        question=_text(value, "question"),
        options=_texts(value, "options"),
    )


def _text(value: dict[str, object], key: str) -> str:
    found = value.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise InvalidRecord(f"{key} should be text", file=REPORT, code="bad_report")
    return found.strip()[:_MOST_TEXT]


def _texts(value: dict[str, object], key: str) -> tuple[str, ...]:
    found = value.get(key)
    if isinstance(found, str):
        found = [found] if found.strip() else []
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise InvalidRecord(f"{key} should be a list of text", file=REPORT, code="bad_report")
    return tuple(str(item).strip()[:_MOST_TEXT] for item in found if str(item).strip())


def clear(top: str) -> None:
    """Take an earlier report away. Raises: OSError."""
    try:
        os.unlink(os.path.join(top, REPORT))
    except FileNotFoundError:
        return
