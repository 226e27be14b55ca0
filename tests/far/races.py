"""Twelve machines claim the same task of one remote at the same moment: one gets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from world import PATIENCE

from far.site import Machine, Site


class Races:
    """A clone on each machine of a site, and rounds in them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.winners: Counter[int] = Counter()
        self._clones: dict[Machine, Path] = {}
        for machine in site.machines:
            path = machine.place.path / "clone"
            machine.place.git("clone", "--quiet", machine.url, str(path))
            machine.place.git("-C", str(path), "config", "ralph.worker", machine.name)
            self._clones[machine] = path

    def round(self, task: str) -> list[str]:
        """All claim `task`; what went wrong, one sentence each."""
        gate_read, gate = os.pipe()
        ready, ready_write = os.pipe()
        running = {}
        for machine, path in self._clones.items():
            words = machine.words(
                sys.executable, "-m", "race.racer", str(ready_write), "0", "claim", task, "--json"
            )
            running[machine] = subprocess.Popen(
                words, cwd=path, env=machine.place.environ, stdin=gate_read,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=(ready_write,),
            )  # fmt: skip
        os.close(gate_read)
        os.close(ready_write)
        waiting = 0
        while waiting < len(running) and (some := os.read(ready, len(running))):
            waiting += len(some)
        os.close(ready)
        os.close(gate)
        codes = {}
        for machine, process in running.items():
            out, err = process.communicate(timeout=PATIENCE)
            codes[machine] = (process.returncode, out.decode(), err.decode())
        wrong = [f"{task}: {one}" for one in self._wrong(task, codes)]
        self._reset(task)
        return wrong

    def _wrong(self, task: str, codes: dict[Machine, tuple[int, str, str]]) -> list[str]:
        winners = [one for one, (code, _, _) in codes.items() if code == 0]
        self.winners[len(winners)] += 1
        found = [] if len(winners) == 1 else [f"won by {[one.name for one in winners]}"]
        if (leases := self._site.refs("leases")) != [f"refs/ralph/leases/{task}"]:
            found.append(f"the remote has the leases {leases}")
        for machine, (code, out, err) in codes.items():
            if code == 0:
                continue
            if code != 5 or json.loads(out)["error"]["code"] != "claim_held":
                found.append(f"{machine.name} was told {code}: {out}{err}")
            path = self._clones[machine]
            left = machine.place.git("-C", str(path), "status", "--porcelain")
            if left or (path / ".ralph" / "current.yaml").exists():
                found.append(f"{machine.name} lost, and left {left}")
        return found

    def _reset(self, task: str) -> None:
        """As before the round."""
        ref = f"refs/ralph/leases/{task}"
        self._site.world.git("-C", str(self._site.base), "update-ref", "-d", ref)
        for machine, path in self._clones.items():
            where = ("-C", str(path))
            machine.place.git(*where, "update-ref", "-d", ref)
            machine.place.git(*where, "reset", "--hard", "--quiet")
            (path / ".ralph" / "current.yaml").unlink(missing_ok=True)


def races(site: Site, tasks: list[str]) -> list[str]:
    """A round for each task, with a line about them; what went wrong."""
    begun, arena = time.monotonic(), Races(site)
    wrong = [sentence for task in tasks for sentence in arena.round(task)]
    winners = ", ".join(f"{count}: {times}" for count, times in sorted(arena.winners.items()))
    print(
        f"races: {len(tasks)} rounds of {len(site.machines)} pushers, winners per round {winners}, "
        f"{len(wrong)} violations, {time.monotonic() - begun:.0f} s",
        flush=True,
    )
    return wrong
