"""Running the git program.

No shell, no inherited GIT_* that would point it elsewhere (a hook's GIT_DIR or
GIT_INDEX_FILE, say), no prompt, no pager, messages in English, no rerere: a recorded
resolution must never decide a claim.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ralphgit.errors import NotWritable, RalphError, RemoteUnavailable

#: Inherited variables that choose a repository, an index or an object store.
_SCRUBBED = frozenset(
    """GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_COMMON_DIR GIT_NAMESPACE
    GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_PREFIX GIT_INTERNAL_SUPER_PREFIX GIT_GRAFT_FILE
    GIT_REPLACE_REF_BASE GIT_SHALLOW_FILE GIT_QUARANTINE_PATH GIT_EXTERNAL_DIFF GIT_DIFF_OPTS
    GIT_LITERAL_PATHSPECS GIT_GLOB_PATHSPECS GIT_NOGLOB_PATHSPECS GIT_ICASE_PATHSPECS
    GIT_EDITOR GIT_SEQUENCE_EDITOR GIT_PAGER GIT_REFLOG_ACTION GIT_DEFAULT_HASH
    GIT_MERGE_AUTOEDIT GIT_PUSH_OPTION_COUNT GIT_REF_PARANOIA""".split()
)
_OPTIONS = ("-c", "rerere.enabled=false", "-c", "core.quotePath=false", "--no-pager")


class GitError(RalphError):
    """git said no, and no caller had a better word for it."""

    code = "git_failed"

    def __init__(self, arguments: Sequence[str], status: int, stderr: bytes) -> None:
        text = stderr.decode("utf-8", "replace").strip()
        self.status, self.stderr = status, text
        first = next((line for line in text.splitlines() if line.startswith(_FATAL)), text)
        verb = next((a for a in arguments if not a.startswith("-")), "")
        super().__init__(
            f"git {verb} failed: {first or f'exit {status}'}",
            hint="the message above is git's own",
            details={"git": list(arguments), "status": status, "stderr": text},
        )


_FATAL = ("fatal:", "error:", " ! [")


class Result(NamedTuple):
    status: int
    out: bytes
    err: bytes


class Git:
    """The git program, run in one folder."""

    def __init__(self, directory: str, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self._environ = {
            key: value for key, value in environ.items() if key not in _SCRUBBED
        }
        self._environ.update(
            LC_ALL="C", LANGUAGE="", GIT_TERMINAL_PROMPT="0", GIT_EDITOR=":", GIT_OPTIONAL_LOCKS="0"
        )
        self._program = ""
        self.calls = 0
        """How many git processes were started: a test bounds it for each command."""

    def at(self, directory: str) -> Git:
        """The same git in another folder; it shares nothing but the environment."""
        return Git(directory, self._environ)

    def using(self, env: Mapping[str, str]) -> Git:
        """The same git with more variables, also ones that are scrubbed when inherited."""
        made = Git(self.directory, self._environ)
        made._environ.update(env)
        return made

    def try_run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Run `git ARGUMENTS` and give its exit status, stdout and stderr.

        After `timeout` seconds the process is killed with all its children, and
        RemoteUnavailable is raised (only the network takes long).
        """
        program = self._program or self._find()
        argv = ["git", *_OPTIONS, "-C", self.directory, *arguments]
        environ = {**self._environ, **env} if env else self._environ
        self.calls += 1
        return _spawn(program, argv, environ, stdin, timeout)

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """Run `git ARGUMENTS` and give its stdout.

        Raises: GitError when it exits with anything but 0; NotWritable when the reason is
        a full or read-only disk.
        """
        result = self.try_run(*arguments, stdin=stdin, env=env, timeout=timeout)
        if result.status:
            raise failure(arguments, result)
        return result.out

    def line(self, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
        """stdout of `run`, which is one line, without its end."""
        return self.run(*arguments, stdin=stdin, env=env).decode().rstrip("\n")

    def _find(self) -> str:
        for folder in os.get_exec_path(self._environ):
            candidate = os.path.join(folder, "git")
            if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
                self._program = candidate
                return candidate
        raise RalphError("git is not installed or not on PATH", code="no_git", hint="install git")


_UNWRITABLE = (
    "Read-only file system",
    "Permission denied",
    "No space left on device",
    "Disk quota exceeded",
    "insufficient permission",
    "Out of diskspace",
    "couldn't write",
    "unable to write",
    "write error",
)


def failure(arguments: Iterable[str], result: Result) -> RalphError:
    """The error for a git process that failed."""
    error = GitError(tuple(arguments), result.status, result.err)
    for reason in _UNWRITABLE:
        if reason in error.stderr:
            return NotWritable(
                f"cannot write to the repository: {error.message.partition(': ')[2]}",
                hint="free space or fix the permissions, then repeat the command",
                details=error.details,
            )
    if "index.lock': File exists" in error.stderr:
        return RalphError(
            "another git process is at work in this worktree (index.lock exists)",
            code="index_locked",
            hint="wait for it; if none is running: ralphgit doctor --fix",
            details=error.details,
        )
    return error


def _spawn(
    program: str,
    argv: Sequence[str],
    environ: Mapping[str, str],
    stdin: bytes,
    timeout: float | None,
) -> Result:
    in_read, in_write = os.pipe()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    try:
        pid = os.posix_spawn(
            program,
            argv,
            environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, in_read, 0),
                (os.POSIX_SPAWN_DUP2, out_write, 1),
                (os.POSIX_SPAWN_DUP2, err_write, 2),
            ],
            # A group of its own where a time limit may have to kill it with its children.
            **({"setpgroup": 0} if timeout is not None else {}),
            setsigdef=(signal.SIGPIPE,),
        )
    except BaseException:
        for fd in (in_write, out_read, err_read):
            os.close(fd)
        raise
    finally:
        for fd in (in_read, out_write, err_write):
            os.close(fd)
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        out, err = _talk(in_write, out_read, err_read, stdin, deadline)
    except BaseException as error:
        if timeout is not None:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
        if isinstance(error, TimeoutError):
            raise RemoteUnavailable(
                f"git {argv[-1]} gave no answer within {timeout:g} s",
                hint="check the network, or use --no-fetch",
            ) from None
        raise
    _, status = os.waitpid(pid, 0)
    return Result(os.waitstatus_to_exitcode(status), out, err)


def _talk(
    in_write: int, out_read: int, err_read: int, stdin: bytes, deadline: float | None
) -> tuple[bytes, bytes]:
    """Feed stdin and drain both outputs until they close; never blocks on one of them."""
    chunks: dict[int, list[bytes]] = {out_read: [], err_read: []}
    pending = memoryview(stdin)
    open_fds = {in_write, out_read, err_read}
    poll = select.poll()
    poll.register(out_read, select.POLLIN)
    poll.register(err_read, select.POLLIN)

    def close(fd: int) -> None:
        open_fds.discard(fd)
        os.close(fd)

    try:
        if pending:
            os.set_blocking(in_write, False)
            poll.register(in_write, select.POLLOUT)
        else:
            close(in_write)
        while open_fds:
            left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
            events = poll.poll(left)
            if not events and deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError
            for fd, _ in events:
                if fd == in_write:
                    try:
                        pending = pending[os.write(in_write, pending[:65536]) :]
                    except BlockingIOError:
                        continue
                    except BrokenPipeError:
                        pending = pending[len(pending) :]
                    if not pending:
                        poll.unregister(fd)
                        close(fd)
                elif chunk := os.read(fd, 1 << 20):
                    chunks[fd].append(chunk)
                else:
                    poll.unregister(fd)
                    close(fd)
    finally:
        for fd in tuple(open_fds):
            close(fd)
    return b"".join(chunks[out_read]), b"".join(chunks[err_read])
