"""A small forge over a bare repository: it keeps pull requests, and merges them as forges do.

    forge = Forge(world)                  # world.origin is its repository
    alpha.ralph("run", env=forge.environ) # a `gh` on PATH that talks to it
    forge.merge("ralph/T-1-abc", "squash")

`gh` and `glab` are stand-ins for the real programs at their command line alone: they log what
they are told, and answer from the forge. What it merges it merges in the bare repository, with
git's plumbing: no worktree, no hook of the user's, no merge driver.

As a program it is the stand-in: `PROGRAM FOLDER gh pr list ...`, which starts fast.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False  # half of the start of the stand-in would be other imports
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); import forge; "
    "sys.exit(forge.main(*sys.argv[2:4], sys.argv[4:]))"
)
WHO = {"NAME": "Forge", "EMAIL": "forge@example.com"}


class Repository:
    """The forge's side: `folder` holds `origin.git`, `pulls.json` and the log of calls."""

    def __init__(self, folder: Path | str) -> None:
        self._folder = folder

    def _file(self, name: str) -> str:
        return os.path.join(self._folder, name)

    # -- pull requests ---------------------------------------------------------------------

    @property
    def pulls(self) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = json.loads(_text(self._file("pulls.json")))
        except FileNotFoundError:
            return []
        return found

    def _keep(self, pulls: list[dict[str, Any]]) -> None:
        _write(self._file("pulls.json"), json.dumps(pulls, indent=1))

    def open(self, head: str, base: str, title: str, body: str) -> dict[str, Any]:
        number = len(self.pulls) + 1
        pull = {
            "number": number, "url": f"https://forge.example/acme/proj/pull/{number}",
            "head": head, "base": base, "title": title, "body": body, "state": "OPEN",
        }  # fmt: skip
        self.git("rev-parse", "--verify", self.ref(head))
        self._keep([*self.pulls, pull])
        return pull

    def close(self, head: str, state: str = "CLOSED") -> None:
        self._keep([{**p, "state": state} if p["head"] == head else p for p in self.pulls])

    def change(self, head: str, **fields: Any) -> None:
        """Change what is kept of a pull request, None for what is no longer kept."""
        self._keep([{**p, **fields} if p["head"] == head else p for p in self.pulls])

    def fails(self, head: str, log: str, *names: str) -> None:
        """CI has failed on the branch as it is now; `log` is what its jobs printed."""
        tip = self.git("rev-parse", self.ref(head))
        self.change(head, failed=list(names or ("tests",)), judged=tip)
        logs = {**self.logs, **{str(70 + n): log for n in range(max(1, len(names)))}}
        _write(self._file("logs.json"), json.dumps(logs))

    def passes(self, head: str, *, merge: bool = True) -> None:
        """Its checks are green; what waits for that is merged."""
        self.change(head, failed=[])
        (pull,) = (one for one in self.pulls if one["head"] == head)
        if merge and pull.get("auto") and pull["state"] == "OPEN":
            self.merge(head, pull["auto"])

    def says(self, head: str, by: str, text: str, *, asks: bool, **more: str) -> None:
        """Somebody comments, or asks for changes."""
        (pull,) = (one for one in self.pulls if one["head"] == head)
        said = pull.get("said", [])
        at = f"2026-11-29T12:00:{len(said):02}Z"
        self.change(head, said=[*said, {"by": by, "at": at, "text": text, "asks": asks, **more}])

    @property
    def hold(self) -> bool:
        """Whether checks are still running, so that nothing is merged by itself."""
        return os.path.exists(self._file("hold"))

    @hold.setter
    def hold(self, is_held: bool) -> None:
        if is_held:
            _write(self._file("hold"), "")
        else:
            os.unlink(self._file("hold"))

    def tip(self, pull: dict[str, Any]) -> str:
        """The last commit of its branch; "" where that is gone."""
        return self.git("for-each-ref", "--format=%(objectname)", self.ref(pull["head"]))

    def ref(self, head: str) -> str:
        """The ref of a pull request's branch; that of a fork, `owner:branch`, is fetched."""
        _, fork, branch = head.rpartition(":")
        if not fork:
            return f"refs/heads/{head}"
        self.git("fetch", "--quiet", self._file("fork.git"),
                 f"+refs/heads/{branch}:refs/pull/{branch}")  # fmt: skip
        return f"refs/pull/{branch}"

    def merge_or_wait(self, pull: dict[str, Any], method: str, commit: str) -> bool:
        """Merge it now, or once its checks have passed; False where `commit` is not its tip."""
        if commit != self.tip(pull):
            return False
        if self.hold or self.is_red(pull):
            self.change(pull["head"], auto=method)
        else:
            self.merge(pull["head"], method)
        return True

    def is_red(self, pull: dict[str, Any]) -> bool:
        """Whether its checks have failed on what its branch is now."""
        return bool(pull.get("failed")) and pull.get("judged") == self.tip(pull)

    @property
    def logs(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(_text(self._file("logs.json")))
        except FileNotFoundError:
            return {}
        return found

    def _note_merge(self, head: str, commit: str) -> None:
        self._keep([{**p, "commit": commit} if p["head"] == head else p for p in self.pulls])

    # -- merging ---------------------------------------------------------------------------

    def merge(self, head: str, method: str = "merge", *, base: str = "main") -> str:
        """What the forge's button does; the base's new commit. A conflict raises."""
        ours = self.git("rev-parse", f"refs/heads/{base}")
        theirs = self.git("rev-parse", self.ref(head))
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
        if ":" not in head:
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
        read, write = os.pipe()
        pid = os.posix_spawnp(
            "git", ["git", f"--git-dir={self._file('origin.git')}", *words], environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)],
        )  # fmt: skip
        os.close(write)
        with open(read, encoding="utf-8") as answer:
            told = answer.read().strip()
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 0, f"git {' '.join(words)}: {told}"
        return told


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Forge(Repository):
    """The forge of a test's world, with its programs on PATH."""

    def __init__(self, world: Any) -> None:
        import shlex

        assert world.origin
        super().__init__(world.folder)
        self.folder: Path = world.folder
        self._bin = world.folder / "bin"
        self._path = world.environ["PATH"]
        self._bin.mkdir()
        for name in ("gh", "glab"):
            script = self._bin / name
            words = (sys.executable, "-ISc", PROGRAM, os.path.dirname(__file__), world.folder, name)
            script.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
            script.chmod(0o755)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": f"{self._bin}:{self._path}",
            "RALPH_LAND_VIA": "gh",
            "RALPH_LAND_POLL": "0.01",
        }

    def followed(self, verb: str, command: str) -> None:
        """After each `gh pr VERB`, somebody runs `command` in a shell."""
        (self.folder / f"then-{verb}").write_text(command)

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


def main(top: str, program: str, words: list[str]) -> int:
    """What `gh` or `glab` does when told `words`."""
    forge = Repository(top)
    with open(f"{top}/calls.jsonl", "a", encoding="utf-8") as log:
        log.write(json.dumps([program, *words]) + "\n")
    verb = words[1]
    if os.path.exists(broken := f"{top}/broken-{verb}"):
        sys.stderr.write(_text(broken))
        return 1
    if os.path.exists(deadly := f"{top}/deadly-{verb}"):
        os.unlink(deadly)
        os.kill(os.getppid(), 9)
        return 1
    flags = {word: words[n + 1] if n + 1 < len(words) else ""
             for n, word in enumerate(words) if word.startswith("--")}  # fmt: skip
    head = flags.get("--source-branch") or flags.get("--head") or words[2]
    mine = [pull for pull in forge.pulls if head in _names(pull)]
    if words[0] == "api" and "PUT" in words:
        number = int(words[1].rpartition("/")[2])
        forge.change(forge.pulls[number - 1]["head"], base=words[-1].partition("=")[2])
    elif words[0] == "api":
        sys.stdout.write(_api(forge, words[1]))
    elif verb == "list":
        found = [pull for pull in reversed(mine) if pull["state"] == "OPEN" or "--all" in words]
        sys.stdout.write(json.dumps([_shown(program, pull) for pull in found]))
    elif verb == "view":
        sys.stdout.write(json.dumps(_shown(program, mine[-1])))
    elif verb == "create":
        file = flags.get("--body-file")
        body = _text(file) if file else flags["--description"]
        if program == "glab" and "--head" in flags:
            head = f"{flags['--head'].partition('/')[0]}:{flags['--source-branch']}"
        base = flags.get("--base") or flags["--target-branch"]
        made = forge.open(head, base, flags["--title"], body)
        if os.path.exists(then := f"{top}/then-create"):
            import subprocess  # slow to import, and seldom needed

            subprocess.run(["sh", "-c", _text(then)], check=True)
        sys.stdout.write(made["url"] + "\n")
    elif verb == "merge":
        method = next((m for m in ("squash", "rebase") if f"--{m}" in words), "merge")
        commit = flags["--match-head-commit" if program == "gh" else "--sha"]
        if not forge.merge_or_wait(mine[-1], method, commit):
            sys.stderr.write("Head branch was modified. Review and try the merge again.\n")
            return 1
    elif verb in ("comment", "note"):
        text = flags.get("--body") or flags["--message"]
        forge.says(mine[-1]["head"], "us", text, asks=False)
    elif verb in ("edit", "update"):
        base = flags.get("--base") or flags["--target-branch"]
        forge.change(mine[-1]["head"], base=base)
    return 0


def _names(pull: dict[str, Any]) -> tuple[str, ...]:
    return pull["head"], pull["head"].rpartition(":")[2], str(pull["number"]), pull["url"]


def _api(forge: Repository, path: str) -> str:
    """What `api` answers: logs of jobs, comments on lines, threads and failed jobs."""
    number = path.split("/")[-2]
    if path.startswith("projects/") and path.count("/") == 1:
        return json.dumps({"id": path[len("projects/") :].partition("%2F")[0]})
    if path.endswith(("/logs", "/trace")):
        return forge.logs[number]
    pulls = {str(pull["number"]): pull for pull in forge.pulls}
    if "/jobs?" in path:
        pull = pulls[number]
        return json.dumps([{"id": 70 + n, "name": name, "web_url": f"{pull['url']}/job/{70 + n}"}
                           for n, name in enumerate(pull.get("failed", ()))])  # fmt: skip
    if "/discussions" in path:
        notes = [
            {"author": {"username": one["by"]}, "created_at": one["at"], "body": one["text"],
             "resolvable": one["asks"], "resolved": False, "system": False}
            for one in pulls[number].get("said", ())
        ]  # fmt: skip
        return json.dumps([{"notes": [note]} for note in notes])
    return json.dumps([])


def _shown(program: str, pull: dict[str, Any]) -> dict[str, Any]:
    owner = pull["head"].rpartition(":")[0]
    if program == "gh":
        merged = {"oid": pull["commit"]} if "commit" in pull else None
        told = {
            "number": pull["number"],
            "url": pull["url"],
            "state": pull["state"],
            "isCrossRepository": bool(owner),
            "headRepositoryOwner": {"login": owner or "acme"},
        }
        said = pull.get("said", ())
        return {
            **told, "mergeCommit": merged, "baseRefName": pull["base"],
            "headRefOid": pull.get("judged", ""), "mergeable": "MERGEABLE",
            "latestReviews": [
                {"author": {"login": one["by"]}, "authorAssociation": one.get("is", "MEMBER"),
                 "body": one["text"], "submittedAt": one["at"], "state": "CHANGES_REQUESTED"}
                for one in said if one["asks"]
            ],
            "comments": [
                {"author": {"login": one["by"]}, "body": one["text"], "createdAt": one["at"]}
                for one in said if not one["asks"]
            ],
            "statusCheckRollup": [
                {"__typename": "CheckRun", "name": name, "workflowName": "CI",
                 "status": "COMPLETED", "conclusion": "FAILURE",
                 "detailsUrl": f"{pull['url']}/actions/runs/1/job/{70 + n}"}
                for n, name in enumerate(pull.get("failed", ()))
            ],
        }  # fmt: skip
    state = {"OPEN": "opened"}.get(pull["state"], pull["state"].lower())
    return {
        "source_project_id": owner or "acme", "target_project_id": "acme",
        "iid": pull["number"], "web_url": pull["url"], "state": state, "sha": pull.get("judged"),
        "target_branch": pull["base"], "has_conflicts": False,
        "blocking_discussions_resolved": not any(one["asks"] for one in pull.get("said", ())),
        "head_pipeline": {
            "id": pull["number"], "status": "failed" if pull.get("failed") else "success",
        },
    }  # fmt: skip
