"""What happened in a night: judged, counted, and told."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from soak import history

from night.field import NightField
from night.stand_in import LIMIT, LOGIN, SILENT, WORKS, WRONG
from ralphgit.model.printable import duration

Entry = dict[str, Any]


class Told:
    """A night that is over."""

    def __init__(self, field: NightField) -> None:
        self._field, self._world, self._base = field, field.world, field.base()
        self.calls = field.calls()
        self.meets = Counter(str(call["meets"]) for call in self.calls)
        self.entries = sorted(_entries(field), key=lambda entry: str(entry["at"]))
        self.asked = list(field.asked())
        self.outcomes = Counter(
            str(one["outcome"]) for one in self.entries if one["event"] == "attempted"
        )
        self._took = field.clock.now() - field.night.begins

    # -- judged ----------------------------------------------------------------------

    def wrong(self) -> Iterator[str]:
        """What is not as it should be."""
        tasks, states = self._field.night.tasks, history.states(self._world, self._base)
        if states != Counter(complete=tasks):
            yield f"not everything is complete on the base: {dict(states)}"
        yield from history.violations(self._world, self._base)
        blocked = [one["task"] for one in self.entries if one["event"] in ("blocked", "breaker")]
        if blocked:
            yield f"blocked, or held up by the breaker: {blocked}"
        yield from self._wrongly_charged()
        yield from self._told_too_often()
        leases = self._world.git("for-each-ref", "refs/ralph/leases").splitlines()
        yield from (f"a lease is left: {line}" for line in leases)
        fsck = self._world.git("-C", self._base, "fsck", "--no-dangling", "--no-progress")
        yield from (f"fsck: {line}" for line in fsck.splitlines())

    def _wrongly_charged(self) -> Iterator[str]:
        """An attempt counts where the agent worked and its work was wrong, and nowhere else."""
        kinds = {WORKS: "done", WRONG: "failed", LIMIT: "limited", LOGIN: "unavailable",
                 SILENT: "silent"}  # fmt: skip
        expected = Counter({kinds[meets]: number for meets, number in self.meets.items()})
        if self.outcomes != expected:
            yield f"the loops saw {dict(self.outcomes)}, and the agents did {dict(expected)}"
        wrong: Counter[str] = Counter()
        for entry in self.entries:
            if entry["event"] != "attempted":
                continue
            task = str(entry["task"])
            if entry["attempt"] != wrong[task] + 1:
                yield f"{entry['at']}: {task}: attempt {entry['attempt']} after {wrong[task]} wrong"
            wrong[task] += entry["outcome"] == "failed"

    def _told_too_often(self) -> Iterator[str]:
        """A limit is met once on a machine, and a person is asked once for a login."""
        known = [_seconds(one) for one in self.entries if one.get("outcome") == "limited"]
        late = [call for call in self.calls if call["meets"] == LIMIT and call["at"] > min(known)]
        if late or not self.meets[LIMIT]:
            yield f"of {self.meets[LIMIT]} calls at the limit {len(late)} began after it was known"
        if len(self.asked) != 1:
            yield f"the person was asked {len(self.asked)} times for the login"
        if not self.meets[LOGIN] or not self.meets[SILENT] or not self.meets[WRONG]:
            yield f"not everything happened in this night: {dict(self.meets)}"

    # -- told ------------------------------------------------------------------------

    def figures(self) -> list[tuple[str, str]]:
        """The figures of the night."""
        night = self._field.night
        done = history.states(self._world, self._base)["complete"]
        waited = {one["worker"] for one in self.entries if one["event"] == "limited"}
        return [
            ("seed", str(night.seed)),
            ("loops, profiles", f"{night.loops}, 2"),
            ("tasks complete on the base", f"{done} of {night.tasks}"),
            ("tasks blocked", str(sum(one["event"] == "blocked" for one in self.entries))),
            ("by the night's clock", duration(self._took)),
            ("calls of the agents", str(len(self.calls))),
            ("wrong work, each a charged attempt", str(self.meets[WRONG])),
            ("calls that met the limit of 5 h, loops that waited for it",
             f"{self.meets[LIMIT]}, {len(waited)}"),
            ("calls that were refused for the login", str(self.meets[LOGIN])),
            ("times that the person was asked for it", str(len(self.asked))),
            ("silent for 1 h, and ended", str(self.meets[SILENT])),
        ]  # fmt: skip

    def log(self) -> list[str]:
        """The log: a line for each thing that happened, by the night's clock, in UTC."""
        lines = [(_seconds(one), str(one["worker"]), said)
                 for one in self.entries if (said := _said(one))]  # fmt: skip
        lines += [(float(one["seconds"]), "person", f"is asked: {one['message']}")
                  for one in self.asked]  # fmt: skip
        lines.append((self._field.helped, "person", "has renewed the login"))
        shown = []
        for at, who, said in sorted(lines):
            shown.append(f"{time.strftime('%H:%M:%S', time.gmtime(at))}  {who:6}  {said}")
        return shown

    def usage(self) -> str:
        """What `status` says in the morning of what was used."""
        shown = self._field.places["w0"].ralph("status", apart=True).out
        return "\n".join(line for line in shown.splitlines() if " USD" in line or "tokens" in line)


def _entries(field: NightField) -> Iterator[Entry]:
    for place in field.places.values():
        path = os.path.join(place.path, ".ralph", "logs", "loop.jsonl")
        with open(path, encoding="utf-8") as file:
            yield from map(json.loads, file)


def _seconds(entry: Entry) -> float:
    return datetime.fromisoformat(str(entry["at"])).timestamp()


def _said(entry: Entry) -> str:
    """An entry of a loop's journal as a line of the log; "" for what is left out."""
    event, task = entry["event"], entry.get("task", "")
    if event == "attempted":
        took = duration(float(entry["agent_s"]))
        number = f"attempt {entry['attempt']}, " if entry["attempt"] > 1 else ""
        why = f": {entry['why']}" if "why" in entry else ""
        return f"{task} {entry['outcome']} ({number}{took}){why}"
    if event == "claimed":
        return f"{task} claimed"
    if event == "landed":
        return f"{task} landed"
    if event == "given-back":
        return f"{task} given back as it was"
    if event == "limited":
        return f"waits until {str(entry['until'])[11:16]}: {entry['message']}"
    if event == "ended":
        return f"ends: {entry['why']}"
    return "begins" if event == "started" else ""
