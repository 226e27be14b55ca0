"""`python -m fuzz N [--seed S]`: N cases, each of them answered as documented.

Prints the seed, how the cases ended by kind of input, and every case that did not hold, with the
command that makes it again; exits 1 where there is one. Children run the cases, a few hundred
each; one that dies or does not come back is a case that does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fuzz import inputs, judge
from fuzz.arena import Arena
from ralphgit.errors import Bug, RalphError

#: Of the processor, the programs that it starts included.
MOST_SECONDS = 1.0
#: What the exact reader may take more, in seconds for each byte: twice 10 us (`yaml_nodes`).
_FOR_A_BYTE = 2e-5
MOST_BYTES = 200 * 1024 * 1024
_HANG_S = 30.0
_AT_ONCE = 400


class Fault(NamedTuple):
    number: int
    surface: str
    what: str


class Found(NamedTuple):
    """What came of the cases."""

    ended: Counter[tuple[str, str]]
    faults: list[Fault]
    slowest: float
    largest: int


Tell = Callable[[list[Fault], int, int], None]


def run(seed: int, indices: range, folder: Path, *, tell: Tell | None = None) -> Found:
    """Run the cases of these indices in an arena in `folder`; `tell` hears of each batch."""
    arena = Arena(folder)
    found = Found(Counter(), [], 0.0, 0)
    start = indices.start
    while start < indices.stop:
        part, start = _batch(arena, seed, range(start, min(start + _AT_ONCE, indices.stop)))
        found.ended.update(part.ended)
        found.faults.extend(part.faults)
        if tell is not None:
            tell(part.faults, start, seed)
        found = found._replace(
            slowest=max(found.slowest, part.slowest), largest=max(found.largest, part.largest)
        )
    return found


def _batch(arena: Arena, seed: int, indices: range) -> tuple[Found, int]:
    """Run these in a child; what came of them, and the index that is next."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            _child(arena, seed, indices, writing)
        except BaseException:  # noqa: BLE001 - a fault of the test itself
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    found = Found(Counter(), [], 0.0, 0)
    slowest, largest, at = 0.0, 0, indices.start
    rest = b""
    hung = False
    while True:
        if not select.select([reading], [], [], _HANG_S)[0]:
            hung = True
            os.kill(pid, signal.SIGKILL)
        data = os.read(reading, 1 << 16)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            index, surface, ended, wrong, seconds, grown = json.loads(line)
            at = index + 1
            found.ended[surface, ended] += 1
            found.faults.extend(Fault(index, surface, what) for what in wrong)
            slowest, largest = max(slowest, seconds), max(largest, grown)
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0 or at < indices.stop:
        what = f"no answer in {_HANG_S:.0f} s" if hung else f"the process died ({status})"
        case = inputs.of_index(seed, at)
        found.ended[case.surface, "died"] += 1
        found.faults.append(Fault(at, case.surface, f"{what}: {' '.join(case.argv)}"))
        arena.restore()
        at += 1
    return found._replace(slowest=slowest, largest=largest), at


def _child(arena: Arena, seed: int, indices: range, writing: int) -> None:
    arena.watch()
    for index in indices:
        case = inputs.of_index(seed, index)
        resident = _start_of_peak()
        if case.layer is None:
            arena.put(case.files, case.refs, based=case.based)
        began = _used()
        if case.layer is not None:
            ended, wrong = _direct(case)
        else:
            seen = arena.run(case.argv, case.env, case.stdin, case.where)
            ended, wrong = judge.of_command(case, seen)
        seconds, grown = _used() - began, _peak() - resident
        most = MOST_SECONDS + _FOR_A_BYTE * _bytes(case)
        if case.layer is not None and seconds > most:  # with what is imported only once
            began = _used()
            _direct(case)
            seconds = _used() - began
        if seconds > most:
            wrong.append(f"{seconds:.1f} s of the processor: {' '.join(case.argv)[:200]}")
        if grown > MOST_BYTES:
            wrong.append(f"{grown >> 20} MB: {' '.join(case.argv)[:200]}")
        if case.layer is None:
            if len(indices) == 1:
                print((seen.out + seen.err).decode("utf-8", "replace")[:2000], flush=True)
            arena.restore()
            wrong = [f"{one} [{' '.join(case.argv)[:150]} in {case.where}]" for one in wrong]
        line = json.dumps([index, case.surface, ended, wrong, seconds, grown])
        os.write(writing, line.encode() + b"\n")


def _bytes(case: inputs.Case) -> int:
    return len(case.data) + len(case.stdin) + max(map(len, case.files.values()), default=0)


def _direct(case: inputs.Case) -> tuple[str, list[str]]:
    assert case.layer is not None
    try:
        case.layer(case.data)
    except Bug as error:
        return "bug", [f"Bug: {error.message}"]
    except RalphError as error:
        return "refused", [] if error.message else ["a refusal without a word"]
    except Exception as error:  # noqa: BLE001 - each is a fault that is looked for
        last = traceback.extract_tb(error.__traceback__)[1:]
        where = " < ".join(f"{os.path.basename(one.filename)}:{one.lineno}" for one in last[:-5:-1])
        return "bug", [f"{type(error).__name__} at {where}: {str(error)[:200]}"]
    return "read", []


def _used() -> float:
    """Seconds of the processor, of this process and of those that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _start_of_peak() -> int:
    """Have `_peak` begin at what is in memory now, which is returned; 0 but on Linux."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return 0
    return _peak()


def _peak() -> int:
    try:
        with open("/proc/self/status") as file:
            line = next(line for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0
    return int(line.split()[1]) * 1024


def told(faults: list[Fault], after: int, seed: int) -> None:
    """Print the cases that do not hold, and how far it is from time to time."""
    for fault in faults:
        print(f"{fault.surface}: {fault.what}")
        print(f"  again: python -m fuzz --seed {seed} --only {fault.number}")
    if after % (25 * _AT_ONCE) == 0:
        print(f"after {after} cases", flush=True)
    sys.stdout.flush()


def report(found: Found, seed: int, seconds: float) -> str:
    """The figures, which are the same on each machine but for the last line."""
    surfaces = sorted({surface for surface, _ in found.ended})
    lines = [f"seed {seed}, {sum(found.ended.values())} cases, {len(found.faults)} do not hold"]
    for surface in surfaces:
        counts = sorted((e, n) for (s, e), n in found.ended.items() if s == surface)
        total = sum(count for _, count in counts)
        lines.append(f"  {surface:<18}{total:>7}: " + ", ".join(f"{e} {n}" for e, n in counts))
    lines.append(
        f"{seconds:.0f} s; at most {found.slowest:.2f} s of the processor "
        f"and {found.largest >> 20} MB for a case"
    )
    return "\n".join(lines)


def laid_out(seed: int, index: int) -> str:
    """The files of a case, in a folder to look at."""
    case = inputs.of_index(seed, index)
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{index}-"))
    files = {"data": case.data} if case.layer else {**case.files, **case.refs}
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    what = f"{case.surface}: {case.argv or case.layer} in {case.where}, env {dict(case.env)}"
    return f"{what}, committed: {case.based}\nfiles: {folder}"


def main() -> int:
    reader = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    reader.add_argument("cases", nargs="?", type=int, default=1000)
    reader.add_argument("--seed", type=int, help="the same seed makes the same cases")
    reader.add_argument("--only", type=int, metavar="INDEX", help="this case alone, laid out")
    words = reader.parse_args()
    seed = words.seed if words.seed is not None else random.SystemRandom().randrange(10**9)
    indices = range(words.cases) if words.only is None else range(words.only, words.only + 1)
    print(f"seed {seed}", flush=True)
    began = time.monotonic()
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory))
    try:
        found = run(seed, indices, folder, tell=told)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if words.only is not None:
        print(laid_out(seed, words.only))
    print(report(found, seed, time.monotonic() - began))
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main())
