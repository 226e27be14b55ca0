"""Judge each task by itself; what the same rules have judged before is known.

A verdict follows from the task as it is stored, and from nothing beside it, so it is kept by the
digest of that: a changed graph costs its changed tasks. What is kept lies where the rows of
graphs do, and is as they are: right or missing, deletable, and open to whoever writes into
`.git` (docs/security.md). So it is asked by `check` alone: what decides whether work lands
believes only what its own process has judged (`own_reading`).
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ralphgit.model import paths
from ralphgit.model.task_row import Row
from ralphgit.records import task_mapping
from ralphgit.records.row_cache import Cache
from ralphgit.rules import branch_changes
from ralphgit.rules.branch_changes import Fault
from ralphgit.rules.contract_digest import keeps

#: Of the rules that judge a task, by itself or beside others: a change of one gets a new number.
VERSION = 5
_KEY = f"verdicts on tasks {VERSION}"
#: So many verdicts on tasks of other branches and revisions are kept beside those asked for.
_KEPT_OTHERS = 20_000


class Verdict(NamedTuple):
    """What one task has wrong, whatever the others are."""

    faults: tuple[Fault, ...]
    is_placed: bool
    """Whether it says something that depends on where it stands, or on settings: it is looked at
    again."""


class TaskVerdicts:
    """Verdicts on tasks, those kept in `cache` among them; without one, each is made."""

    def __init__(self, cache: Cache | None) -> None:
        self.cache = cache
        kept = cache.kept(_KEY) if cache else None
        self._known: dict[bytes, tuple[Any, ...]] = kept if isinstance(kept, dict) else {}
        self._asked: dict[bytes, tuple[Any, ...]] = {}

    def of(self, row: Row) -> Verdict:
        """Judge the task of a row."""
        text = row.texts[row.texts_start : row.texts_end]
        if self.cache is None:
            return _judged(row, json.loads(bytes(text)))
        key = hashlib.blake2b(text, digest_size=16).digest()
        found = self._known.get(key)
        if found is None:
            made = _judged(row, json.loads(bytes(text)))
            found = tuple(map(tuple, made.faults)), made.is_placed
        self._asked[key] = found
        faults, is_placed = found
        return Verdict(tuple(map(Fault._make, faults)), is_placed)

    def keep(self) -> None:
        """Keep what was asked for, and some of what was known before."""
        if self.cache is None or self._asked.keys() <= self._known.keys():
            return
        others = [key for key in self._known if key not in self._asked][-_KEPT_OTHERS:]
        self.cache.keep(_KEY, {**{key: self._known[key] for key in others}, **self._asked})


def _judged(row: Row, stored: Mapping[str, Any]) -> Verdict:
    faults = branch_changes.consistency(row.id, row.status, stored)
    if row.claim and row.contract and not keeps(task_mapping.task(stored), row.contract):
        faults.append(_stale(row))
    faults += filter(None, [branch_changes.nothing_to_verify(row.id, stored)])
    is_placed = _writes_elsewhere(stored.get("x-script"))
    if row.status not in ("complete", "cancelled"):
        is_placed = is_placed or any(stored.get(name) for name in ("agent", "review"))
        criteria = [one["id"] for one in task_mapping.criteria(stored.get("acceptance") or ())]
        proved = [one for _, named in task_mapping.commands(stored.get("verify")) for one in named]
        faults += branch_changes.misnamed_criteria(row.id, criteria, proved)
    return Verdict(tuple(faults), is_placed)


def _writes_elsewhere(script: object) -> bool:
    """Whether what the built-in agent is told may be to write where no task has files."""
    attempts = script if isinstance(script, list) else [script]
    written = [one.get("write") for one in attempts if isinstance(one, dict)]
    names = [name for one in written if isinstance(one, dict) for name in one]
    return any(not isinstance(name, str) or paths.fault(name) for name in names)


def _stale(row: Row) -> Fault:
    said = f"what {row.id} promises has changed since claim {row.claim} was made"
    hint, severity = f"ralphgit complete {row.id} --accept-contract", "error"
    if row.status in ("complete", "cancelled"):
        anew = f"ralphgit reset {row.id} --reopen --reason TEXT"
        hint, severity = f"restore the fields; to have it done anew: {anew}", "warning"
    elif row.status == "blocked":
        hint, severity = f'ralphgit reply {row.id} "TEXT"', "warning"
    return Fault("stale_contract", row.id, said, hint, severity)
