"""Keep `.ralph/`: what this worktree remembers and never commits."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ralphgit.app.workspace.project import Project
from ralphgit.errors import GuardRefused, InvalidRecord, NotWritable, Refused
from ralphgit.model.active_claim import Lease
from ralphgit.records import atomic_files, lease_object, runtime_notes
from ralphgit.records import schemas as schema

if TYPE_CHECKING:
    from ralphgit.rules.backoff_and_breaker import Breaker

FOLDER = ".ralph"
#: The note of a move of this worktree that is under way.
MOVING = os.path.join(FOLDER, "moving")
CURRENT = os.path.join(FOLDER, "current.yaml")
RUNS = os.path.join("ralphgit", "usage.jsonl")
"""What each run of an agent has used, below git's common folder."""
FLEET = os.path.join(FOLDER, "fleet.yaml")
"""What a fleet notes of the loop that it has started here."""
LEFT = os.path.join(FOLDER, "left")
_BREAKER = os.path.join(FOLDER, "breaker.yaml")
_DECLINED = os.path.join(FOLDER, "declined.yaml")
_MOST_LEFT = 64 * 1024 * 1024
#: The folder, and what a killed write may leave beside a record.
_EXCLUDED = ("/.ralph/", f"{atomic_files.TEMPORARY}*")


def prepare(project: Project) -> None:
    """Make `.ralph/` with the schemas for editors in it, excluded through
    `.git/info/exclude`, not through the user's .gitignore.

    Raises: GuardRefused (linked); NotWritable.
    """
    folder = os.path.join(project.top, FOLDER)
    # One may have come with a clone, and lead anywhere; two worktrees must not share one.
    if link := next(_links(folder), ""):
        import shlex

        name = os.path.relpath(link, project.top)
        raise GuardRefused(
            f"{name} is a link; nothing was written", code="linked",
            hint=f"rm {shlex.quote(name)}, then repeat",
        )  # fmt: skip
    schemas = os.path.join(project.top, schema.HOME)
    if os.path.isdir(schemas) and is_excluded(project):
        return
    exclude(project)
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise NotWritable(
            f"cannot make {folder}: {error.strerror}", hint="fix the permissions, then repeat"
        ) from error
    if not os.path.isdir(schemas):
        for name, data in schema.schema_files().items():
            atomic_files.write(os.path.join(schemas, name), data, durable=False, follow=False)


def _links(folder: str) -> Iterator[str]:
    """The folder itself and the folders directly in it, where they are links."""
    if os.path.islink(folder):
        yield folder
    elif os.path.isdir(folder):
        with os.scandir(folder) as entries:
            yield from (one.path for one in entries if one.is_symlink() and one.is_dir())


def exclude_file(project: Project) -> str:
    """Where git reads what it is to ignore in this repository alone."""
    return os.path.join(project.repository.common_dir, "info", "exclude")


def _missing(project: Project) -> list[str]:
    data = (atomic_files.read(exclude_file(project)) or b"").decode("utf-8", "replace")
    lines = {line.strip() for line in data.splitlines()}
    return [pattern for pattern in _EXCLUDED if pattern not in lines]


def is_excluded(project: Project) -> bool:
    return not _missing(project)


def exclude(project: Project) -> None:
    """Idempotent. Raises: NotWritable."""
    missing = _missing(project)
    if not missing:
        return
    path = exclude_file(project)
    data = atomic_files.read(path) or b""
    if data and not data.endswith(b"\n"):
        data += b"\n"
    atomic_files.write(path, data + "".join(f"{pattern}\n" for pattern in missing).encode())


def without_exclusion(project: Project) -> bytes | None:
    """The file without the lines that `exclude` puts there; None where it has none of them."""
    data = atomic_files.read(exclude_file(project)) or b""
    ours = {pattern.encode() for pattern in _EXCLUDED}
    lines = data.splitlines(keepends=True)
    rest = [line for line in lines if line.strip() not in ours]
    return b"".join(rest) if len(rest) < len(lines) else None


def remember(project: Project, claim: Lease) -> None:
    """Note the claim that this worktree works on. Raises: NotWritable."""
    path = os.path.join(project.top, CURRENT)
    atomic_files.write(path, lease_object.encode(claim), durable=False, follow=False)


def remembered(top: str) -> Lease | None:
    """The claim that the worktree at `top` noted last; None without one that can be read."""
    try:
        data = atomic_files.read_plain(os.path.join(top, CURRENT), limit=runtime_notes.MOST_BYTES)
        return lease_object.parse(data, "") if data is not None else None
    except (InvalidRecord, Refused):
        return None


def leave(project: Project, paths: Iterable[str]) -> None:
    """Note the files that verify commands left behind. Raises: NotWritable."""
    data = "".join(f"{path}\0" for path in paths).encode("utf-8", "surrogateescape")
    if data != _left(project.top):
        prepare(project)
        atomic_files.write(os.path.join(project.top, LEFT), data, durable=False, follow=False)


def left(top: str) -> list[str]:
    """The files that verify commands left behind here, as far as it was noted."""
    return _left(top).decode("utf-8", "surrogateescape").split("\0")[:-1]


def _left(top: str) -> bytes:
    try:
        return atomic_files.read_plain(os.path.join(top, LEFT), limit=_MOST_LEFT) or b""
    except Refused:
        return b""  # somebody has put something else there


def forget(top: str) -> None:
    """Remove the note, if there is one. Raises: NotWritable."""
    atomic_files.unlink(os.path.join(top, CURRENT))


def breaker(top: str) -> Breaker:
    """The circuit breaker of the worktree's loop as it was left; closed if there is no note."""
    from ralphgit.rules.backoff_and_breaker import CLOSED, Breaker  # a loop alone has one

    path = os.path.join(top, _BREAKER)
    if not os.path.lexists(path):
        return CLOSED  # and no parser is loaded
    found = runtime_notes.read(path)
    failures, opened = found.get("failures"), found.get("opened")
    if not isinstance(failures, int) or not isinstance(opened, (int, float)):
        return CLOSED
    return Breaker(failures, float(opened))


def note_breaker(top: str, now: Breaker) -> None:
    """Raises: NotWritable."""
    if now != breaker(top):
        runtime_notes.write(os.path.join(top, _BREAKER), now._asdict())


def declined(top: str) -> dict[str, str]:
    """The tasks of which the worktree's newest loop could commit nothing, and what was said."""
    path = os.path.join(top, _DECLINED)
    if not os.path.lexists(path):
        return {}  # and no parser is loaded
    return {task: str(said) for task, said in runtime_notes.read(path).items()}


def note_declined(top: str, task: str, said: str) -> None:
    """Raises: NotWritable."""
    runtime_notes.write(os.path.join(top, _DECLINED), {**declined(top), task: said})


def forget_declined(top: str) -> None:
    """Raises: NotWritable."""
    atomic_files.unlink(os.path.join(top, _DECLINED))
