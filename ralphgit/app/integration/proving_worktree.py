"""Run verify commands on merged content, in a temporary worktree."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ralphgit.app.evidence import judged_evidence
from ralphgit.app.processes import trust
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import folder_of
from ralphgit.app.worktrees import create
from ralphgit.app.worktrees.survey import LOCK
from ralphgit.errors import RalphError, Refused
from ralphgit.git import index, worktrees
from ralphgit.git.repository import Worktree

_NAME = "integration-"


class Ground:
    """A worktree beside the main one, made when it is first needed, and removed on leaving.

    It has no branch checked out. What a killed process left is
    removed by the next one, and by `doctor --fix`. Used as a context.
    """

    def __init__(self, project: Project, *, failing: str = "nothing was integrated") -> None:
        """`failing`: what is to be said of a command that cannot be believed."""
        self._project, self._failing = project, failing
        self._at = ""
        self.path = ""

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *_: object) -> None:
        if self.path:
            worktrees.remove(self._project.repository.git, self.path, force=True)
            self.path = ""

    def run(self, commit: str, wanted: Sequence[tuple[str, str, str]]) -> Mapping[str, Run]:
        """Run the verify commands of (task, claim, command) on the content of `commit`.

        Before each, what an earlier one left there is removed, except ignored files.

        Raises: NeedsPerson (untrusted); Refused (setup_failed, not_done); GitError.
        """
        trust.require(self._project, list(dict.fromkeys(command for _, _, command in wanted)))
        made: dict[str, Run] = {}
        progress, count = self._project.around.progress, len({command for _, _, command in wanted})
        for one in wanted:
            if one[2] in made:
                continue
            with progress.step(f"verifying {one[0]}", len(made) + 1, count):
                self._go_to(commit)
                made.update(judged_evidence.run_each(self._project, [one], top=self.path))
            self._refuse_changed(one)
        return made

    def at(self, commit: str) -> str:
        """Bring the worktree to a commit, as if nobody had been there; returns its folder.

        Raises: NeedsPerson (untrusted); Refused (setup_failed); GitError.
        """
        self._go_to(commit)
        self._at = ""
        return self.path

    def _refuse_changed(self, wanted: tuple[str, str, str]) -> None:
        """Refuse a command that changed files: neither it nor later ones prove anything."""
        self._at = ""
        task, _, command = wanted
        changed = index.changed(self._project.repository.git.at(self.path), ["."]).read()
        if changed:
            raise Refused(
                f"a verify command of {task} changed {changed[0]}: {command}; {self._failing}",
                code="not_done",
                hint="make the command leave committed files unchanged, then repeat",
                details={"task": task, "files": changed},
            )

    def _go_to(self, commit: str) -> None:
        if not self.path:
            self._make(commit)
        if self._at == commit:
            return
        git = self._project.repository.git.at(self.path)
        git.run("reset", "--hard", "--quiet", commit)
        git.run("clean", "-ffdq")
        self._at = commit

    def _make(self, commit: str) -> None:
        project = self._project
        clear(project)
        command = project.config.worktree_setup
        if command:
            trust.require(project, [command])
        path = folder_of(project, f"{_NAME}{project.around.new_id()}")
        self.path = path
        reason = f"{LOCK}{_NAME}{os.getpid()} {heartbeat.start_time(os.getpid())} "
        worktrees.add(project.repository.git, path, commit, reason=reason + heartbeat.boot_id())
        made = project.repository.beside(Worktree(path, commit, ""))
        create.copy_included(project, made)
        if command:
            run = create.set_up(project, command, path, "integration")
            if not run.passed:
                raise Refused(
                    f"the setup command failed (exit {run.exit_code}): {run.command}; "
                    f"{self._failing}",
                    code="setup_failed",
                    lines=[f"| {line}" for line in run.tail.splitlines()[-20:]],
                    hint="fix worktree.setup in ralph.toml on the base",
                )


def abandoned(project: Project) -> list[Worktree]:
    """List such worktrees whose process is gone."""
    found = []
    for worktree in project.repository.worktrees:
        words = worktree.reason.removeprefix(LOCK).split(" ")
        if not worktree.reason.startswith(LOCK + _NAME) or len(words) != 3:
            continue
        pid, started, boot = words[0].removeprefix(_NAME), words[1], words[2]
        alive = boot == heartbeat.boot_id() and pid.isdigit() and (
            str(heartbeat.start_time(int(pid))) == started
        )  # fmt: skip
        if not alive:
            found.append(worktree)
    return found


def clear(project: Project) -> list[str]:
    """Remove the abandoned ones; return their folders. They never have any work in them."""
    removed = []
    for worktree in abandoned(project):
        try:
            worktrees.remove(project.repository.git, worktree.path, force=True)
        except RalphError as error:
            if not os.path.exists(worktree.path):
                continue  # another one has removed it meanwhile
            project.warn(f"{worktree.path} was left by an integration: {error.message}")
            continue
        removed.append(worktree.path)
    if removed:
        project.repository.forget()
    return removed
