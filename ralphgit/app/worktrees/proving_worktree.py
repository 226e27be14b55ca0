"""Run verify commands on merged content, in a temporary worktree."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping, Sequence

from ralphgit.app.evidence import run_verify_commands, seen_here_alone
from ralphgit.app.evidence.run_verify_commands import Wanted
from ralphgit.app.processes import changed_settings, other_worktrees, trust, watched_settings
from ralphgit.app.processes.verify_command import Run
from ralphgit.app.workspace import heartbeat
from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.worktree_names import LOCK, folder_of
from ralphgit.app.worktrees import abandoned_grounds, create, works_programs
from ralphgit.errors import Refused
from ralphgit.git import index, run_git, worktrees
from ralphgit.git.listings import Worktree
from ralphgit.git.repository import Repository
from ralphgit.git.run_git import Git
from ralphgit.records import atomic_files

#: Of the worktree's git folder: which repository it is of, and what is checked out.
_LINKS = ("commondir", "gitdir", "HEAD", "info/sparse-checkout")


class Ground:
    """A worktree beside the main one, made when it is first needed, and removed on leaving.

    It has no branch checked out. What a killed process left is
    removed by the next one, and by `doctor --fix`. Used as a context.

    The commands run code that an agent wrote, and git nothing of it (`works_programs`). After each,
    every file is read, whatever the index says by then, and what steers git is compared with what
    it was before the first.
    """

    def __init__(
        self, project: Project, *, failing: str = "nothing was integrated", inside: str = "",
        copies: bool = True,
    ) -> None:  # fmt: skip
        """`failing`: what is to be said of a command that cannot be believed. `inside`: where it
        is made in place of beside the main one; no setup command runs there. `copies`: whether it
        gets what `.worktreeinclude` lists, which any worker may have written into the main one.
        """
        self._project, self._failing, self._inside = project, failing, inside
        self._copies = copies
        self._at = ""
        self._seen: list[str] = []
        self.path = ""
        self._made: Repository
        self._signs: changed_settings.Signs
        self._index = b""
        self._links: dict[str, bytes | None] = {}

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *_: object) -> None:
        if self.path:
            if self._links and self._relinked():
                shutil.rmtree(self.path, ignore_errors=True)  # git would not know it any more
            worktrees.remove(self._project.repository.git, self.path, force=True)
            self.path = ""

    def run(self, commit: str, wanted: Sequence[Wanted]) -> Mapping[tuple[str, str], Run]:
        """Run verify commands on the content of `commit`; the runs by task and command.

        Before each, what an earlier one left there is removed, except ignored files.

        Raises: NeedsPerson (untrusted, settings_changed, blocks_git); Refused (setup_failed,
        not_done); GitError.
        """
        trust.require(self._project, list(dict.fromkeys(command for _, _, command in wanted)))
        self._go_to(commit)
        with run_git.compared(self._require_same):
            return run_verify_commands.run_each(
                self._project, wanted, top=self.path, begin=lambda: self._go_to(commit),
                ended=self._refuse_changed,
            )  # fmt: skip

    def _require_same(self) -> None:
        watched_settings.require_same(self._project, self._signs)

    def _require_same_but_links(self) -> None:
        """As `_require_same`, but for what `_relinked` tells: it is said of the command."""
        links = other_worktrees.misled(self._project, self.path, self._made.git_dir)
        watched_settings.require_same(self._project, {**self._signs, **links})

    @property
    def git(self) -> Git:
        """git there, once it was made."""
        return self._made.git

    def at(self, commit: str) -> str:
        """Bring the worktree to a commit, as if nobody had been there; returns its folder.

        Raises: NeedsPerson (untrusted, settings_changed); Refused (setup_failed); GitError.
        """
        self._go_to(commit)
        self._at = ""
        return self.path

    def _refuse_changed(self, wanted: Wanted) -> None:
        """Refuse a command that changed files: neither it nor later ones prove anything.

        Raises: Refused (not_done), NeedsPerson (settings_changed, blocks_git).
        """
        self._at = ""
        task, _, command = wanted
        self._require_same_but_links()
        changed = self._relinked()
        if not changed:
            head = self._links["HEAD"] or b""
            seen_here_alone.passed_over(self._made, head.decode().strip())
            changed = self._changed_files()
        if changed:
            raise Refused(
                f"a verify command of {task} changed {changed[0]}: {command}; {self._failing}",
                code="not_done",
                hint="make the command leave committed files unchanged, then repeat",
                details={"task": task, "files": changed},
            )

    def _changed_files(self) -> list[str]:
        """List the committed files that are not as git has written them, whatever the index says.

        Some git always calls changed that are read again: those with line ends that its settings
        would not let in.
        """
        index.put(self._made, self._index, index.LONG_AGO)
        found = {path: _content(self.path, path) for path in index.read_again(self._made.git)}
        if found:
            self._made.git.run("reset", "--hard", "--quiet")
        return [path for path, had in found.items() if had != _content(self.path, path)]

    def _relinked(self) -> list[str]:
        """List which of what git itself has written here is otherwise."""
        return [name for name, data in self._now_linked().items() if data != self._links[name]]

    def _now_linked(self) -> dict[str, bytes | None]:
        """Read what says which repository the folder is of, and what is checked out there."""
        places = {".git": os.path.join(self.path, ".git")}
        places |= {name: os.path.join(self._made.git_dir, name) for name in _LINKS}
        return {
            name: atomic_files.read(path) if os.path.isfile(path) else None
            for name, path in places.items()
        }

    def _go_to(self, commit: str) -> None:
        if not self.path:
            self._make(commit)
        if self._at == commit:
            return
        git, before = self._git_at(commit).at(self.path), self._made.git
        self._made.git = git
        if git.environ == before.environ:
            index.put(self._made, self._index, index.LONG_AGO)
        else:  # every file is written again, as its filters, which may be others now, have it
            atomic_files.unlink(os.path.join(self._made.git_dir, "index"))
        git.run("reset", "--hard", "--quiet", commit)
        git.run("clean", "-ffdq")
        self._note()
        self._at = commit

    def _git_at(self, commit: str) -> Git:
        """Return a git that runs nothing of what is checked out, or was, of which files are left
        while `commit` is.
        """
        self._seen.append(commit)
        return self._project.repository.git.using(
            works_programs.left_out(self._project, self._seen, every=bool(self._inside))
        )

    def _note(self) -> None:
        """Note the worktree as only git has made it."""
        self._links = self._now_linked()
        self._index = atomic_files.read(os.path.join(self._made.git_dir, "index")) or b""

    def _make(self, commit: str) -> None:
        project = self._project
        abandoned_grounds.clear(project)
        watched_settings.require_seen(project)
        self._signs = changed_settings.signs(project)
        command = "" if self._inside else project.config.worktree_setup
        if command:
            trust.require(project, [command])
        path = self._inside or folder_of(
            project, f"{abandoned_grounds.NAME}{project.around.new_id()}"
        )
        self.path = path
        reason = f"{LOCK}{abandoned_grounds.NAME}{os.getpid()} {heartbeat.start_time(os.getpid())} "
        lock = reason + heartbeat.boot_id()
        git = self._git_at(commit)
        if said := worktrees.add(git, path, commit, reason=lock):
            project.warn(f"the post-checkout hook failed in the worktree of the proof: {said}")
        made = self._made = project.repository.beside(Worktree(path, commit, ""))
        made.git = git.at(path)
        self._note()
        if self._copies:
            create.copy_included(project, made)
        if command:
            with run_git.compared(self._require_same):
                run = create.set_up(project, command, path, "integration")
                self._require_same_but_links()
            relinked = self._relinked()
            if relinked or not run.passed:
                how = f"changed {relinked[0]}" if relinked else f"failed (exit {run.exit_code})"
                raise Refused(
                    f"the setup command {how}: {run.command}; {self._failing}",
                    code="setup_failed",
                    lines=[f"| {line}" for line in run.tail.splitlines()[-20:]],
                    hint="fix worktree.setup in ralph.toml on the base",
                )


def _content(top: str, path: str) -> object:
    """What a file is, to be compared; a folder, of a submodule, is never the same as before."""
    place = os.path.join(top, path)
    try:
        mode = os.lstat(place).st_mode
        if stat.S_ISLNK(mode):
            return mode, os.readlink(place)
        return (mode, atomic_files.read(place)) if stat.S_ISREG(mode) else object()
    except FileNotFoundError:
        return None
