"""Run the git program.

No shell, no inherited GIT_* that would point it elsewhere (a hook's GIT_DIR or
GIT_INDEX_FILE, say), no prompt, no pager, messages in English, no rerere: a recorded
resolution must never decide a claim.
"""

from __future__ import annotations

import _thread  # importing threading takes longer
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from ralphgit.errors import NeedsPerson, NotWritable, RalphError, RemoteUnavailable
from ralphgit.git.child_process import Child, Dialogue, ProcessResult, TimedOut, verb

#: Inherited variables that choose a repository, an index or an object store.
_SCRUBBED = frozenset((
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
    "GIT_NAMESPACE", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX",
    "GIT_INTERNAL_SUPER_PREFIX", "GIT_GRAFT_FILE", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE",
    "GIT_QUARANTINE_PATH", "GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_EDITOR",
    "GIT_SEQUENCE_EDITOR", "GIT_PAGER", "GIT_REFLOG_ACTION", "GIT_DEFAULT_HASH",
    "GIT_MERGE_AUTOEDIT", "GIT_PUSH_OPTION_COUNT", "GIT_REF_PARANOIA",
))  # fmt: skip
_OPTIONS = (
    "-c", "rerere.enabled=false", "-c", "core.quotePath=false",
    "-c", "core.warnAmbiguousRefs=false",  # `git.refs` says why
    "--no-pager",
)  # fmt: skip


class GitError(RalphError):
    """git failed, and no caller had a better message for it."""

    code = "git_failed"

    def __init__(self, arguments: Sequence[str], status: int, stderr: bytes) -> None:
        text = stderr.decode("utf-8", "replace").strip()
        self.status, self.stderr = status, text
        lines = text.split("\n")
        first = next((line for sign in _FATAL for line in lines if line.startswith(sign)), "")
        if len(lines) == 1:
            first = text
        name = verb(arguments)
        self.is_commit = name == "commit"
        """Whether a commit was not made: mostly a hook has refused it."""
        hint = "the message above is git's own"
        if self.is_commit:
            hint += ", or a hook's that refused the commit"
            first = first if len(lines) == 1 else ""  # a hook's words are more than one line
        super().__init__(
            f"git {name} failed: {first or f'exit {status}'}",
            hint=hint,
            details={"git": list(arguments), "status": status, "stderr": text},
            lines=[line for line in lines[-_SHOWN_LINES:] if line.strip() and line != first],
        )


#: What a line begins with that says why, the more decisive one first.
_FATAL = ("fatal:", "error:", " ! [")
# The patterns here are only text: compiled where git has failed, which is seldom.
#: Of two refs, one of which would be a folder of the other, in this repository.
_TAKEN = r"(?m)^(?!remote:| ! \[).*'(refs/[^'\n]+)' exists; cannot create '(refs/[^'\n]+)'"
#: Of a message in which no line says that it is the reason.
_SHOWN_LINES = 20


def names(listed: bytes) -> list[str]:
    """Split what git has listed with `-z`."""
    return listed.decode("utf-8", "surrogateescape").split("\0")[:-1]


class GitHung(NeedsPerson):
    """git, or what it had started, did not end in time: nothing of the work is wrong."""

    code = "git_hung"


#: What may run hooks, filters or a signer, by what it is called in a heartbeat.
_SLOW = {
    "commit": "commit", "commit-tree": "commit", "merge": "merge", "add": "add",
    "update-index": "add", "checkout": "checkout", "checkout-index": "checkout",
    "reset": "checkout", "read-tree": "checkout", "worktree": "checkout", "status": "add",
    "fetch": "fetch", "ls-remote": "fetch", "push": "push",
}  # fmt: skip


#: Verbs that change nothing, whatever their options.
_QUESTIONS = frozenset((
    "cat-file", "check-attr", "check-ignore", "diff", "diff-files", "diff-index", "diff-tree",
    "for-each-ref", "log", "ls-files", "ls-tree", "merge-base", "rev-list", "rev-parse", "show-ref",
    "status", "var",
))  # fmt: skip

#: Verbs that start nothing which gets their stdin or stdout; "" of options alone.
_ALONE = _QUESTIONS | {
    "", "check-ref-format", "config", "hash-object", "ls-remote", "show", "symbolic-ref", "version",
    "write-tree",
}  # fmt: skip


def _is_question(arguments: Sequence[str]) -> bool:
    name = verb(arguments)
    return name in _QUESTIONS or (name == "config" and "--list" in arguments)


def _to_nobody(what: str) -> AbstractContextManager[None]:
    return nullcontext()


class Patience:
    """How long git is waited for, and who is told that it is."""

    seconds: float = 600.0
    """For what runs hooks, filters or a signer."""
    step: Callable[[str], AbstractContextManager[None]] = staticmethod(_to_nobody)
    """Shows what git is at while the block runs."""
    terminal: bool = False
    """Whether a person sits there, whom a signer may ask: git stays in the terminal's group."""
    packs: bool = True
    """Whether git may pack when it has committed, and go on with that when it has ended."""


class Git:
    """The git program, run in one folder."""

    def __init__(self, directory: str, environ: Mapping[str, str]) -> None:
        self.directory = directory
        self.environ = {key: value for key, value in environ.items() if key not in _SCRUBBED}
        self.environ.update(
            LC_ALL="C",
            LANGUAGE="",
            GIT_TERMINAL_PROMPT="0",
            GIT_EDITOR=":",
            GIT_OPTIONAL_LOCKS="0",
            # What a commit is, nobody may replace here alone: no other clone would see it.
            GIT_NO_REPLACE_OBJECTS="1",
        )
        self.patience = Patience()
        self._answers: dict[tuple[str, ...], ProcessResult] = {}
        self.calls = 0
        """How many git processes were started: a test bounds it for each command."""

    def at(self, directory: str) -> Git:
        """Return the same git in another folder of the repository."""
        made = Git(directory, self.environ)
        made.patience = self.patience
        made._answers = self._answers
        return made

    def using(self, env: Mapping[str, str]) -> Git:
        """Return the same git with more variables, also ones that are scrubbed when inherited."""
        made = Git(self.directory, {})
        made.environ = {**self.environ, **env}
        made.patience = self.patience
        made._answers = self._answers
        return made

    def ask_once(self, *arguments: str) -> ProcessResult:
        """Run a command whose answer never changes (about objects, by full ids); ask git once."""
        if arguments not in self._answers:
            result = self.try_run(*arguments)
            if result.status not in (0, 1):
                return result
            self._answers[arguments] = result
        return self._answers[arguments]

    def try_run(
        self, *arguments: str, stdin: bytes = b"", timeout: float | None = None
    ) -> ProcessResult:
        """Run `git ARGUMENTS` and give its exit status, stdout and stderr.

        After `timeout` seconds the process is killed with all its children; what runs hooks,
        filters or a signer has a limit by itself (`patience`). Where somebody else kills it while
        it is asked something, it is asked once more.

        Raises: GitHung; RemoteUnavailable where a `timeout` was given, for what uses the network.
        """
        result = self._run_once(arguments, stdin, timeout)
        if result.status < 0 and _is_question(arguments):
            return self._run_once(arguments, stdin, timeout)
        return result

    def _run_once(
        self, arguments: Sequence[str], stdin: bytes, timeout: float | None
    ) -> ProcessResult:
        phase = _SLOW.get(verb(arguments), "")
        if timeout is None and not phase:
            return self._start(arguments).finish(stdin)
        limit = timeout or self.patience.seconds
        # A group of its own where a time limit may have to kill it with its children.
        child = self._start(arguments, group=timeout is not None or not self.patience.terminal)
        try:
            with self.patience.step(f"git {phase}") if phase else nullcontext():
                return child.finish(stdin, limit)
        except TimedOut as error:
            raise _hung(verb(arguments), limit, error, network=timeout is not None) from None

    def start(self, *arguments: str) -> Child:
        """Start `git ARGUMENTS` and go on; it gets its stdin when it is asked to finish."""
        return self._start(arguments)

    def dialogue(self, *arguments: str) -> Dialogue:
        """Start a `git ARGUMENTS` that answers questions; what it says on stderr is lost."""
        return Dialogue(self._start(arguments, errors=False))

    def _start(
        self, arguments: Sequence[str], *, group: bool = False, errors: bool = True
    ) -> Child:
        _ask()
        program = _place(self.environ)
        packs = () if self.patience.packs else ("-c", "maintenance.auto=false")
        argv = ["git", *_OPTIONS, *packs, "-C", self.directory, *arguments]
        self.calls += 1
        private = verb(arguments) in _ALONE
        return Child(program, argv, self.environ, group=group, errors=errors, private=private)

    def run(self, *arguments: str, stdin: bytes = b"", timeout: float | None = None) -> bytes:
        """Run `git ARGUMENTS` and give its stdout.

        Raises: GitError when it exits with anything but 0; NotWritable when the reason is
        a full or read-only disk.
        """
        result = self.try_run(*arguments, stdin=stdin, timeout=timeout)
        if result.status:
            raise failure(arguments, result)
        return result.out

    def line(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run `git ARGUMENTS`, and return its one line of stdout without the line end."""
        return self.run(*arguments, stdin=stdin).decode().rstrip("\n")

    def names(self, *arguments: str) -> list[str]:
        """Run `git ARGUMENTS`, which list with `-z`, and return the list."""
        return names(self.run(*arguments))


#: Where git is, by what says where programs are.
_places: dict[str, str] = {}


def _place(environ: Mapping[str, str]) -> str:
    """Return where git is: found once, so that no other one is run that comes meanwhile, and in no
    folder that is another one wherever a command is started.

    Raises: RalphError (no_git).
    """
    path = environ.get("PATH", os.defpath)
    found = _places.get(path, "")
    if found and os.access(found, os.X_OK):
        return found
    for folder in os.get_exec_path(environ):
        candidate = os.path.join(folder, "git")
        if os.path.isabs(folder) and os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            _places[path] = candidate
            return candidate
    raise RalphError("git is not installed or not on PATH", code="no_git", hint="install git")


#: Where git's own programs are, by git and by what names another place.
_own_folders: dict[tuple[str, str], str] = {}


def own_programs(git: Git) -> str:
    """Return the folder of git's own programs, where one git finds another; asked once."""
    key = (_place(git.environ), git.environ.get("GIT_EXEC_PATH", ""))
    if key not in _own_folders:
        _own_folders[key] = git.line("--exec-path")
    return _own_folders[key]


# -- trust in git ---------------------------------------------------------------------------

# What an agent sets (`core.fsmonitor`, a new `git`) is run by the next git process that this
# program starts, whichever that is: so it is asked there whether all is as it was, and no caller
# can forget it.

#: A comparison starts git itself: who asks may go through.
_lock = _thread.RLock()
_compare: Callable[[], None] | None = None
_refused: NeedsPerson | None = None
_at_work = _looks = 0
_trusted = _asking = False


@contextmanager
def compared(compare: Callable[[], None]) -> Iterator[None]:
    """While the block runs, call `compare` before a git process starts, in whichever thread.

    It raises where git may run something else; no git starts in this block from then on, also
    where that is put back. It is not called again from when all was as before until the next
    program of others is started.
    """
    global _compare, _refused, _trusted
    outer = _compare, _refused
    _compare, _refused, _trusted = compare, None, False
    try:
        yield
    finally:
        _compare, _refused = outer


@contextmanager
def program_of_others() -> Iterator[None]:
    """Say that one works in the block, which may change what git runs."""
    global _at_work, _looks, _trusted
    with _lock:
        _at_work, _looks, _trusted = _at_work + 1, _looks + 1, False
    try:
        yield
    finally:
        with _lock:
            _at_work, _looks = _at_work - 1, _looks + 1


def look() -> int:
    """Number the looks at files: one is as good as another only while no program of others works,
    or has. A store through a shared mapping may leave all that the system says of a file.
    """
    global _looks
    with _lock:
        _looks += _at_work
        return _looks


@contextmanager
def comparing() -> Iterator[None]:
    """Say that the block compares what `compared` would, or more of it, and raises where it may
    not go on: git may be started in it, and is as it was when it ends.
    """
    global _refused, _trusted, _asking
    with _lock:
        if _asking or _compare is None:
            yield
            return
        _asking = True
        try:
            yield
            if _refused is not None:
                raise _refused
            _trusted = not _at_work
        except NeedsPerson as error:
            _refused = error
            raise
        finally:
            _asking = False


def _ask() -> None:
    """Go through where git is as it was. Raises: what `compare` does."""
    if _compare is None:
        return
    with _lock:
        if not (_asking or _trusted or _compare is None):
            with comparing():
                _compare()


#: The user's own hook of a push: while it runs, the remote has not been asked yet.
_PUSH_HOOK = r"(?:^|[\s/])pre-push(?:\s|$)"


def _hung(name: str, limit: float, error: TimedOut, *, network: bool) -> RalphError:
    """Make the error for a git that was killed, with the words of what it waited for."""
    said = error.err.decode("utf-8", "replace").strip().split("\n")
    lines = [f"it waited for: {line}" for line in error.waited_for]
    lines += [line for line in said[-_SHOWN_LINES:] if line]
    of_hook = any(re.search(_PUSH_HOOK, line) for line in error.waited_for)
    if network and not of_hook:
        return RemoteUnavailable(
            f"git {name} gave no answer within {limit:g} s", lines=lines,
            hint="check the network, or use --no-fetch" if name != "push"
            else "check the network, then repeat",
        )  # fmt: skip
    return GitHung(
        f"git {name} did not end within {limit:g} s, and was stopped",
        lines=lines, details={"waited_for": list(error.waited_for)},
        hint="make it end by itself, or raise the setting "
        f"{'push' if of_hook else 'git'}.timeout; then repeat",
    )  # fmt: skip


#: How git says that it knows no name or address to commit by.
_NOBODY = (
    "*** Please tell me who you are.", "auto-detection is disabled", "fatal: empty ident name",
    "fatal: unable to auto-detect email address",
)  # fmt: skip
#: How git and its signers say that one was not able to, had no key, or nobody to ask.
_UNSIGNED = (
    "failed to sign the data", "gpg.ssh.defaultKeyCommand needs to be configured",
    "Couldn't load public key", "signing failed", "error: Load key", "incorrect passphrase",
    "No private key found", "agent refused operation", "is needed for ssh signing",
)  # fmt: skip
#: What git says in the end, whyever; of itself it says nothing.
_NO_COMMIT = "fatal: failed to write commit object"
#: How a shell says that the program of a filter is not there, and how git that one has failed.
_NOT_THERE = r"(?m)^.*?: (?:line )?\d+: (\S+: (?:command )?not found)$"
_FILTER_FAILED = "external filter '.*' failed|initialization for subprocess|the remote end hung up"
#: What git says of the other end of a pipe to such a program.
_PACKETS = (
    "error: packet write|error: Could not write client|fatal: the remote end hung up|"
    "error: initialization for subprocess"
)
_UNWRITABLE = (
    "Read-only file system", "Permission denied", "No space left on device",
    "Disk quota exceeded", "insufficient permission", "Out of diskspace", "couldn't write",
    "unable to write", "write error", "failed to write new configuration file",
)  # fmt: skip


def _is_unsigned(name: str, text: str) -> bool:
    """Whether git could make a commit, and the signer could not sign it."""
    if any(sign in text for sign in _UNSIGNED):
        return True
    if name not in ("commit", "commit-tree") or any(reason in text for reason in _UNWRITABLE):
        return False
    return "error: cannot run " in text or _NO_COMMIT in text


def make_room(ref: str) -> str:
    """Return the command that gives a ref another name."""
    import shlex  # importing it compiles a pattern

    if ref.startswith("refs/heads/"):
        return f"git branch -m {shlex.quote(ref.removeprefix('refs/heads/'))} OTHER"
    old, new = shlex.quote(ref), shlex.quote(f"refs/aside/{ref.removeprefix('refs/')}")
    return f"git update-ref {new} {old} && git update-ref -d {old}"


def failure(arguments: Iterable[str], result: ProcessResult) -> RalphError:
    """Make the error for a git process that failed."""
    words = tuple(arguments)
    error = GitError(words, result.status, result.err)
    if error.is_commit and result.status == 1:
        return error  # a hook has refused it, which may print what it likes; git itself exits 128
    if any(sign in error.stderr for sign in _NOBODY):
        return NeedsPerson(
            "git does not know in whose name it commits here", code="no_identity",
            hint='git config --global user.name "NAME" && git config --global user.email EMAIL',
            lines=error.stderr.split("\n")[-1:], details=error.details,
        )  # fmt: skip
    if _is_unsigned(verb(words), error.stderr):
        said = [line.strip() for line in error.stderr.split("\n")[:_SHOWN_LINES]]
        said = [line for line in said if line and line != _NO_COMMIT]
        return NeedsPerson(
            "; ".join(("the commit cannot be signed", *said)), code="cannot_sign",
            hint="have the signer find a key, and ask nobody for its passphrase (user.signingkey, "
                 "gpg.program, an agent), or sign no commit (commit.gpgsign); then repeat",
            details=error.details,
        )  # fmt: skip
    for reason in _UNWRITABLE:
        if reason in error.stderr:
            line = next(line for line in error.stderr.split("\n") if reason in line)
            return NotWritable(
                f"cannot write to the repository: {line}",
                hint="free space or fix the permissions, then repeat the command",
                details=error.details,
            )
    if taken := re.search(_TAKEN, error.stderr):
        return NeedsPerson(
            f"the ref {taken[1]} leaves no room for {taken[2]}",
            code="ref_in_the_way", hint=make_room(taken[1]), details=error.details,
        )  # fmt: skip
    gone = re.search(_NOT_THERE, error.stderr)
    if gone and re.search(_FILTER_FAILED, error.stderr):
        lines = error.stderr.split("\n")[-_SHOWN_LINES:]
        return NeedsPerson(
            f"the filter cannot be run: {gone[1]}",
            code="missing_filter", hint="ralphgit doctor", details=error.details,
            lines=[line for line in lines if not re.match(_PACKETS, line)],
        )  # fmt: skip
    if "index.lock': File exists" in error.stderr:
        return RalphError(
            "another git process is at work in this worktree (index.lock exists); wait for it, or "
            "have the file examined",
            code="index_locked",
            hint="ralphgit doctor --fix",
            details=error.details,
        )
    return error
