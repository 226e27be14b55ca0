"""Tell from the words of git and of a remote why a push did not go through.

The words are those of GitHub, GitLab, Gitea and Forgejo, Bitbucket, and of git itself; where each
is from stands beside its test (`tests/test_push_refusal.py`).
"""

from __future__ import annotations

import re
from enum import StrEnum


class Why(StrEnum):
    """Why a push did not go through, as the end of "declined: ..."."""

    MOVED = "moved"
    """The ref is not where it was thought to be: fetch, and try again."""
    NO_OPTIONS = "no push options"
    PROTECTED = "protected"
    """Nobody, or not this user, may push to this branch."""
    TOO_LARGE = "too large"
    SECRET = "secret"
    SIGNATURE = "signature"
    QUOTA = "quota"
    MESSAGE = "commit message"
    """A rule about the message or the author of a commit."""
    PROGRAM = "missing program"
    """A hook here has not found a program: nothing of the work is wrong."""
    HOOK = "hook"
    """Another rule, of the remote or of a pre-push hook here."""
    AWAY = "away"
    """The remote cannot be reached, or does not let this user in: nothing of the work is wrong."""


#: Why the work itself is not let in: a worker can mend it.
OF_THE_WORK = frozenset((Why.TOO_LARGE, Why.SECRET, Why.MESSAGE, Why.HOOK))

# In the order in which they are looked for: what is said first is the narrower.
_SIGNS: tuple[tuple[Why, str], ...] = (
    # By git's own line for the ref alone: a hook may print what it likes.
    (Why.MOVED, r"^ *!.*(?:[ \t]\[rejected\]|\((?:stale info|reference already exists"
                r"|incorrect old value provided|failed to update ref|cannot lock ref))"),
    (Why.NO_OPTIONS, r"does not support push options"),
    (Why.SECRET, r"push cannot contain secrets|GH009|secrets detected"),
    (Why.TOO_LARGE, r"GH001|exceeds GitHub's file size limit|larger than the allowed size"
                    r"|exceeds? the [\d.]+ ?\w+ (?:file size )?limit|exceeds maximum allowed size"),
    (Why.SIGNATURE, r"must have verified signatures|commit must be signed|unverified commit"),
    (Why.QUOTA, r"over its (?:data )?quota|exceeded its LFS budget|quota exceeded"
                r"|storage limit|over its size limit|repository size limit"),
    (Why.MESSAGE, r"commit message does not follow|author'?s? email|committer email|GH007"
                  r"|commit message must match|email address must match"),
    (Why.PROTECTED, r"GH006|protected (?:branch|ref|from)|through (?:a )?pull request"
                    r"|denied to update branch|GH013|repository rule violations|is restricted"
                    r"|archived so it is read-only|branch is currently checked out"),
    (Why.PROGRAM, r"was not found on your path|: (?:command )?not found$"),
    # What git-lfs says, in the user's hook, of a server of large files.
    (Why.AWAY, r"^batch re(?:quest|sponse): .*(?:dial tcp|timeout|Authenti?cation|Authorization)"),
    (Why.HOOK, r"\[remote rejected\]|hook declined|non-fast-forward|deletion prohibited"
               r"|failed to push some refs"),
)  # fmt: skip
#: Lines that say nothing of why: progress, rules around a text, git's own frame.
_FRAME = (
    r"[\W_]*$|(?:Resolving deltas|Counting|Compressing|Enumerating|Writing|Total|Processing)\b"
    r"|To \S+$|Done$|hint:"
)


def why(text: str) -> Why:
    """Classify what `git push` has written."""
    for reason, signs in _SIGNS:
        if re.search(signs, text, re.IGNORECASE | re.MULTILINE):
            return reason
    return Why.AWAY


#: ... that say only that there was a reason: told where nothing else is.
_THAT = r"error: failed to push some refs to |! .*\((?:pre-receive )?hook declined\)$"


def words(text: str) -> tuple[str, ...]:
    """The decisive lines of what `git push` has written, without git's frame."""
    found: list[str] = []
    for line in text.split("\n"):
        said = line.removeprefix("remote:").replace("\t", " ").strip()
        if said and not re.match(_FRAME, said) and said not in found:
            found.append(said)
    return tuple(line for line in found if not re.match(_THAT, line)) or tuple(found)


def hint(reason: Why) -> str:
    """What to do about it, for a person."""
    return _HINTS.get(reason, "do what these words ask for, then repeat")


_HINTS = {
    Why.PROTECTED: 'land by pull request: --land pr, or land.mode = "pr"',
    Why.TOO_LARGE: "take the file out of the commits, or keep it in git LFS, then repeat",
    Why.SECRET: "take the secret out of the commits, and out of use; then repeat",
    Why.SIGNATURE: "git config commit.gpgsign true && git rebase --force-rebase --gpg-sign BASE",
    Why.PROGRAM: "install what the hook has not found, then repeat",
    Why.QUOTA: "make room on the remote, then repeat",
}
