"""Fetch one branch, and push with compare-and-swap."""

import re
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ralphgit.errors import RalphError, RemoteUnavailable
from ralphgit.git import push_refusal
from ralphgit.git.child_process import ProcessResult
from ralphgit.git.push_refusal import Why
from ralphgit.git.run_git import Git, failure

_QUIET = (
    "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance",
    "--no-write-fetch-head",
)  # fmt: skip


def fetch(
    git: Git, remote: str, branch: str, *, timeout: float, mirrors: Mapping[str, str] | None = None
) -> bool:
    """Fetch one branch into its remote-tracking ref; False if the remote has no such branch.

    `mirrors` are namespaces of the remote to have a true copy of here: `{there: here}`.

    Other worktrees may fetch at the same moment: a ref that another process has just
    moved or locks is tried again.

    Raises: RemoteUnavailable.
    """
    refspecs = [f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}"]
    refspecs += [f"+{there}*:{here}*" for there, here in (mirrors or {}).items()]
    prune = ("--prune",) if mirrors else ()
    arguments = ("fetch", *_QUIET, *prune, "--end-of-options", remote, *refspecs)
    for attempt in range(5):
        result = git.try_run(*arguments, timeout=timeout)
        if result.status == 0:
            return True
        text = result.err.decode("utf-8", "replace")
        if "couldn't find remote ref" in text:
            return False
        if "cannot lock ref" not in text and ".lock'" not in text:
            break
        time.sleep(0.05 * (attempt + 1))
    _refuse_full(arguments, result)
    raise _unavailable(remote, text)


def _refuse_full(arguments: Sequence[str], result: ProcessResult) -> None:
    """Raises: NotWritable, where it is this machine that has no room, and the remote is there."""
    lines = result.err.decode("utf-8", "replace").split("\n")
    if any(sign in line for sign in _FULL for line in lines if not line.startswith("remote:")):
        raise failure(arguments, result)


_FULL = ("No space left on device", "Disk quota exceeded")


def _unavailable(remote: str, text: str) -> RemoteUnavailable:
    text = re.sub(_QUERY, "", text)
    lines = [line.strip() for line in text.strip().split("\n") if line.strip()]
    reason = next((line for line in lines if line.startswith("fatal:")), lines[0] if lines else "")
    before = [line for line in lines[: lines.index(reason)] if reason] if reason else []
    if "Could not read from remote repository" in reason and before:
        reason = before.pop()  # what ssh says is why
    hint = next((hint for sign, hint in _AWAY if re.search(sign, text)), "")
    if _OTHER_HOST in text:
        reason = f"{_OTHER_HOST}. {reason}"
        before = [line for line in before if re.match(_KEY, line)]
        before.append(
            "who runs the host knows whether its key is new: only then remove the old one"
        )
        if removed := re.search(r"ssh-keygen .*-R .*", text):
            hint = removed[0].strip()
    error = RemoteUnavailable(
        f"the remote {remote} cannot be reached: {reason.removeprefix('fatal: ')}",
        hint=hint or "check the network and your credentials; --no-fetch works offline",
        lines=before[-_SHOWN_LINES:], details={"remote": remote},
    )  # fmt: skip
    error.needs_person = bool(hint)
    return error


_SHOWN_LINES = 10
#: Of an address, where a token may be: git shows it, other than a password.
_QUERY = r"(?<=\S)\?[^\s']*(?=')"
#: How ssh says that a host has another key than it had, and which of the lines around it tell more.
_OTHER_HOST = "REMOTE HOST IDENTIFICATION HAS CHANGED"
_KEY = r"SHA256:|Offending |Host key for "
#: What to do about a remote that is away, by the words of git and ssh.
_AWAY = (
    (_OTHER_HOST, "ssh-keygen -R HOST"),
    (r"Permission denied \(|passphrase",
     "nobody can be asked for a passphrase here: ssh-add the key first, then repeat"),
    (r"Host key verification failed",
     "connect once with ssh by hand to accept the key of the host, then repeat"),
    (r"terminal prompts disabled|Authentication failed|could not read (?:Username|Password)",
     "nobody can be asked for a password here: have a credential helper know it, then repeat"),
)  # fmt: skip


class Sent(NamedTuple):
    """The result of a push that was not forbidden."""

    moved: bool
    """False where the remote's ref was not where it was thought to be."""
    said: tuple[str, ...]
    """The lines that the remote wrote to us."""


class PushRefused(RalphError):
    """The remote, or a hook of the user, has declined a push; trying again would not help."""

    code = "push_refused"

    def __init__(self, remote: str, ref: str, why: Why, said: tuple[str, ...]) -> None:
        self.why = why
        super().__init__(
            ": ".join((f"the push of {ref} to {remote} was declined ({why})", *said[:1])),
            hint=push_refusal.hint(why),
            details={"remote": remote, "ref": ref, "why": str(why), "said": list(said)},
            lines=said[1:],
        )


def push(
    git: Git,
    remote: str,
    new: str,
    ref: str,
    *,
    old: str | None,
    timeout: float,
    hooks: bool = True,
) -> bool:
    """Set the remote's `ref` to `new` if it is at `old`; "" means no ref, on either side.

    `old` None sets it wherever it is: for a ref that has one writer.

    The user's pre-push hook runs, which is also how the content of large files gets there; `hooks`
    is false for refs of our own that have no work in them.

    Returns False when it has moved. The objects must be unique to the caller: for an
    object that the remote ref has already, git says "up to date", no matter who pushed it.

    Raises: RemoteUnavailable; PushRefused when the remote forbids it.
    """
    return send(git, remote, new, ref, old=old, timeout=timeout, hooks=hooks).moved


#: What is pushed is what was asked for, and nothing is said with it, whatever `push.*` has.
_ALONE = (
    "-c", "push.pushOption=", "push", "--quiet", "--porcelain", "--no-follow-tags",
    "--recurse-submodules=no",
)  # fmt: skip


def send(
    git: Git,
    remote: str,
    new: str,
    ref: str,
    *,
    old: str | None,
    timeout: float,
    options: Sequence[str] = (),
    hooks: bool = True,
) -> Sent:
    """Push with push options; returns also what the remote says.

    Raises: RemoteUnavailable; PushRefused; RalphError (no_push_options).
    """
    arguments = (
        *_ALONE, *(() if hooks else ("--no-verify",)),
        "--force" if old is None else f"--force-with-lease={ref}:{old}",
        *(f"--push-option={option}" for option in options),
        "--end-of-options", remote, f"{new}:{ref}",
    )  # fmt: skip
    result = git.try_run(*arguments, timeout=timeout)
    text = result.err.decode("utf-8", "replace") + result.out.decode("utf-8", "replace")
    if result.status == 0:
        said = (line.removeprefix("remote:").strip() for line in text.split("\n")
                if line.startswith("remote:"))  # fmt: skip
        return Sent(True, tuple(line for line in said if line))
    match why := push_refusal.why(text):
        case Why.MOVED:
            return Sent(False, ())
        case Why.AWAY:
            _refuse_full(arguments, result)
            raise _unavailable(remote, text)
        case Why.NO_OPTIONS:
            raise RalphError(
                f"the remote {remote} does not accept push options",
                code="no_push_options",
                hint='it is land.via = "push-options": gh, glab, none, or a command of your own',
            )
    raise PushRefused(remote, ref, why, push_refusal.words(text))


def tip(git: Git, remote: str, ref: str, *, timeout: float) -> str:
    """Return the object that the remote's `ref` is at now, "" if there is none.

    Raises: RemoteUnavailable.
    """
    result = git.try_run("ls-remote", "--quiet", "--end-of-options", remote, ref, timeout=timeout)
    if result.status:
        raise _unavailable(remote, result.err.decode("utf-8", "replace"))
    lines = [line.split("\t") for line in result.out.decode("utf-8", "replace").split("\n")]
    return next((line[0] for line in lines if line[1:] == [ref]), "")
