"""The checker: what the remote's history says, read by plain git and by another YAML reader.

It shares no code with ralphgit, neither with what wrote the records nor with the model: a graph
file is any YAML file on the base that has `tasks`, and the moves are those of the specification.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import ryaml

#: The legal moves of a task between two commits of the base's first-parent line. One landing
#: may bring several steps: a claim travels with the work.
MOVES = {
    "pending": {"in-progress", "blocked", "complete", "cancelled"},
    "in-progress": {"complete", "blocked", "pending", "cancelled"},
    "blocked": {"in-progress", "pending", "complete", "cancelled"},
    "complete": {"pending"},
    "cancelled": {"pending"},
}


class Task(NamedTuple):
    """A task on one commit."""

    status: str
    claim: str
    epoch: int


class History:
    """The base as it was, commit for commit, as far as it has been read."""

    def __init__(self, store: Path, environ: Mapping[str, str]) -> None:
        self._store, self._environ = store, dict(environ)
        self._at = ""
        self._tasks: dict[str, Task] = {}
        self._homes: dict[str, str] = {}
        """By claim: the key of its task."""
        self.commits = 0

    def problems(self, *, by_hand: bool) -> list[str]:
        """What is wrong in the commits that are new.

        `by_hand`: a person has just taken something back, or brought it back.
        """
        wrong: list[str] = []
        span = [f"{self._at}..main"] if self._at else ["main"]
        for commit in self._git("rev-list", "--first-parent", "--reverse", *span).split():
            wrong += [f"{commit[:12]}: {one}" for one in self._next(commit, by_hand=by_hand)]
            self._at, self.commits = commit, self.commits + 1
        return wrong

    def _next(self, commit: str, *, by_hand: bool) -> Iterator[str]:
        now: dict[str, Task] = {}
        work: dict[str, str] = {}
        for path, text in self._files(commit):
            if path.startswith("work/"):
                work[path[5:-4]] = text.strip()
                continue
            for key, task in _tasks(text):
                if key in now:
                    yield f"{key} stands in the graph twice"
                now[key] = task
        for key in self._tasks.keys() - now.keys():
            # Whoever reverts the commit that added a task takes it out; the gate warns of that.
            if not by_hand or self._tasks[key].status != "pending":
                yield f"{key} is gone"
        for key, task in now.items():
            was = self._tasks.get(key, task)
            if task.claim and self._homes.setdefault(task.claim, key) != key:
                yield f"claim {task.claim} is on {key} and on {self._homes[task.claim]}"
            if task.status == "complete" and work.get(key) != task.claim and not by_hand:
                yield f"{key} is complete by {task.claim}, and its work is {work.get(key)}'s"
            if by_hand:
                continue
            if was.status != task.status and task.status not in MOVES[was.status]:
                yield f"{key} went from {was.status} to {task.status}"
            if was.status == task.status == "complete" and was.claim != task.claim:
                yield f"{key} was done by {was.claim}, and is done again by {task.claim}"
            if task.epoch < was.epoch:
                yield f"{key} went from epoch {was.epoch} to {task.epoch}"
            fenced = task.epoch > was.epoch and task.status == "complete"
            if fenced and was.status == "complete":
                yield f"{key} was reopened and done in one commit"
        self._tasks = now

    def kept(self, written: Iterable[str], clones: Iterable[Path]) -> list[str]:
        """What somebody wrote that is neither behind a ref nor in a worktree of any clone."""
        found: set[str] = set()
        for clone in clones:
            # Of what reflogs alone have, git lets go: it counts as lost.
            listed = self._git("rev-list", "--all", "--objects", where=clone)
            found.update(line.split()[0] for line in listed.splitlines())
            heads = self._git("worktree", "list", "--porcelain", where=clone).splitlines()
            for top in (line[9:] for line in heads if line.startswith("worktree ")):
                files = sorted(Path(top, "work").glob("*.txt"))
                if files:
                    words = ("hash-object", *(str(file) for file in files))
                    found.update(self._git(*words, where=clone).split())
        wanted = {text: self._git("hash-object", "--stdin", stdin=text).strip() for text in written}
        return [f"what was written is lost: {text.strip()}"
                for text, blob in wanted.items() if blob not in found]  # fmt: skip

    def _files(self, commit: str) -> Iterator[tuple[str, str]]:
        """Path and text of the work and of what may be a graph file."""
        paths, blobs = [], []
        for line in self._git("ls-tree", "-r", commit).splitlines():
            meta, path = line.split("\t")
            graph = path.endswith(".yaml") and not path.startswith("records/")
            if graph or path.startswith("work/"):
                paths.append(path)
                blobs.append(meta.split()[2])
        data = self._git("cat-file", "--batch", stdin="".join(f"{one}\n" for one in blobs))
        for path in paths:
            head, _, data = data.partition("\n")
            size = int(head.split()[2])
            text, data = data[:size], data[size + 1 :]
            yield path, text

    def _git(self, *words: str, stdin: str = "", where: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=where or self._store, env=self._environ,
            input=stdin.encode("latin-1"), capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout.decode("latin-1")  # one character for each byte, as sizes count


def _tasks(text: str) -> Iterator[tuple[str, Task]]:
    """The tasks of a graph file, by the key that no rename changes."""
    read: Any = ryaml.loads(text.encode("latin-1").decode())
    found = read.get("tasks") if isinstance(read, dict) else None
    for task in found or ():
        claim = task.get("claim") or {}
        yield (
            str(task["x-key"]),
            Task(task["status"], str(claim.get("id", "")), task.get("epoch", 0)),
        )
