"""A small forge over a bare repository: it keeps pull requests, and merges them as forges do.

    forge = Forge(world)                  # world.origin is its repository
    alpha.ralph("run", env=forge.environ) # a `gh` on PATH that talks to it
    forge.merge("ralph/T-1-abc", "squash")

`gh` and `glab` are stand-ins for the real programs at their command line alone: they log what
they are told, and answer from the forge. What it merges it merges in the bare repository, with
git's plumbing: no worktree, no hook of the user's, no merge driver.

As a program it is the stand-in: `python forge.py FOLDER gh pr list ...`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

WHO = {"NAME": "Forge", "EMAIL": "forge@example.com"}


class Repository:
    """The forge's side: `folder` holds `origin.git`, `pulls.json` and the log of calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._bare = folder / "origin.git"

    # -- pull requests ---------------------------------------------------------------------

    @property
    def pulls(self) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = json.loads((self.folder / "pulls.json").read_text())
        except FileNotFoundError:
            return []
        return found

    def _keep(self, pulls: list[dict[str, Any]]) -> None:
        (self.folder / "pulls.json").write_text(json.dumps(pulls, indent=1))

    def open(self, head: str, base: str, title: str, body: str) -> dict[str, Any]:
        number = len(self.pulls) + 1
        pull = {
            "number": number, "url": f"https://forge.example/acme/proj/pull/{number}",
            "head": head, "base": base, "title": title, "body": body, "state": "OPEN",
        }  # fmt: skip
        self.git("rev-parse", "--verify", f"refs/heads/{head}")
        self._keep([*self.pulls, pull])
        return pull

    def close(self, head: str, state: str = "CLOSED") -> None:
        self._keep([{**p, "state": state} if p["head"] == head else p for p in self.pulls])

    def _note_merge(self, head: str, commit: str) -> None:
        self._keep([{**p, "commit": commit} if p["head"] == head else p for p in self.pulls])

    # -- merging ---------------------------------------------------------------------------

    def merge(self, head: str, method: str = "merge", *, base: str = "main") -> str:
        """What the forge's button does; the base's new commit. A conflict raises."""
        ours = self.git("rev-parse", f"refs/heads/{base}")
        theirs = self.git("rev-parse", f"refs/heads/{head}")
        if method == "rebase":
            made = ours
            fork = self.git("merge-base", ours, theirs)
            for commit in self.git("rev-list", "--reverse", f"{fork}..{theirs}").split():
                made = self._picked(made, commit)
        else:
            tree = self._tree(ours, theirs)
            parents = [ours, theirs] if method == "merge" else [ours]
            made = self._commit(tree, parents, f"Pull request of {head} ({method})")
        self.git("update-ref", f"refs/heads/{base}", made, ours)
        self.git("update-ref", "-d", f"refs/heads/{head}", theirs)
        self.close(head, "MERGED")
        self._note_merge(head, made)
        return made

    def _tree(self, ours: str, theirs: str) -> str:
        return self.git("merge-tree", "--write-tree", ours, theirs)

    def _picked(self, onto: str, commit: str) -> str:
        """`commit` cherry-picked: merged into a commit that has the content of `onto`, and the
        picked one's parent for its own."""
        stand_in = self._commit(f"{onto}^{{tree}}", [f"{commit}^"], "stand-in")
        message = self.git("log", "-1", "--format=%B", commit)
        return self._commit(self._tree(stand_in, commit), [onto], message)

    def commit(self, onto: str, message: str) -> str:
        """A commit on top of another one, with the same content."""
        return self._commit(f"{onto}^{{tree}}", [onto], message)

    def _commit(self, tree: str, parents: list[str], message: str) -> str:
        words = ["commit-tree", self.git("rev-parse", tree)]
        for parent in parents:
            words += ["-p", self.git("rev-parse", parent)]
        return self.git(*words, "-m", message)

    def git(self, *words: str) -> str:
        environ = {**os.environ, **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
                                    for key, value in WHO.items()}}  # fmt: skip
        done = subprocess.run(
            ["git", f"--git-dir={self._bare}", *words], env=environ, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr or done.stdout}"
        return done.stdout.strip()


class Forge(Repository):
    """The forge of a test's world, with its programs on PATH."""

    def __init__(self, world: Any) -> None:
        assert world.origin
        super().__init__(world.folder)
        self._bin = world.folder / "bin"
        self._path = world.environ["PATH"]
        self._bin.mkdir()
        for name in ("gh", "glab"):
            script = self._bin / name
            script.write_text(
                f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{world.folder}" {name} "$@"\n'
            )
            script.chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": f"{self._bin}:{self._path}",
            "RALPH_LAND_VIA": "gh",
            "RALPH_LAND_POLL": "0.01",
        }

    def breaks(self, verb: str, said: str) -> None:
        """From now on `gh pr VERB` fails."""
        (self.folder / f"broken-{verb}").write_text(said)

    def mends(self, verb: str) -> None:
        (self.folder / f"broken-{verb}").unlink()

    def kills(self, verb: str) -> None:
        """The next `gh pr VERB` kills who called it, and does nothing."""
        (self.folder / f"deadly-{verb}").touch()

    @property
    def calls(self) -> list[list[str]]:
        """What the programs were told, each with its name first."""
        try:
            lines = (self.folder / "calls.jsonl").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def verbs(self) -> list[str]:
        return [" ".join(call[:3]) for call in self.calls]


# -- the programs --------------------------------------------------------------------------


def main(folder: Path, program: str, words: list[str]) -> int:
    """What `gh` or `glab` does when told `words`."""
    with open(folder / "calls.jsonl", "a", encoding="utf-8") as log:
        log.write(json.dumps([program, *words]) + "\n")
    forge = Repository(folder)
    verb = words[1]
    broken = folder / f"broken-{verb}"
    if broken.exists():
        sys.stderr.write(broken.read_text())
        return 1
    deadly = folder / f"deadly-{verb}"
    if deadly.exists():
        deadly.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
        return 1
    flags = {word: words[n + 1] if n + 1 < len(words) else ""
             for n, word in enumerate(words) if word.startswith("--")}  # fmt: skip
    head = flags.get("--head") or flags.get("--source-branch") or words[2]
    mine = [pull for pull in forge.pulls if head in (pull["head"], str(pull["number"]))]
    if verb == "list":
        found = [pull for pull in mine if pull["state"] == "OPEN"]
        sys.stdout.write(json.dumps([_shown(program, pull) for pull in found]))
    elif verb == "view":
        sys.stdout.write(json.dumps(_shown(program, mine[-1])))
    elif verb == "create":
        file = flags.get("--body-file")
        body = Path(file).read_text(encoding="utf-8") if file else flags["--description"]
        base = flags.get("--base") or flags["--target-branch"]
        sys.stdout.write(forge.open(head, base, flags["--title"], body)["url"] + "\n")
    elif verb == "merge":
        forge.merge(head, next(m for m in ("squash", "rebase", "merge") if f"--{m}" in words))
    return 0


def _shown(program: str, pull: dict[str, Any]) -> dict[str, Any]:
    if program == "gh":
        merged = {"oid": pull["commit"]} if "commit" in pull else None
        told = {"number": pull["number"], "url": pull["url"], "state": pull["state"]}
        return {**told, "mergeCommit": merged}
    state = {"OPEN": "opened"}.get(pull["state"], pull["state"].lower())
    return {"iid": pull["number"], "web_url": pull["url"], "state": state}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
