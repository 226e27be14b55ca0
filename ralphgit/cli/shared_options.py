"""Define the options that several commands take."""

import re

from ralphgit.cli.command_spec import arg, flag, integer, many, text
from ralphgit.errors import UsageError

#: What a long list shows, unless more is asked for (SPEC 6).
MOST = 20


def _priorities(words: str) -> frozenset[int]:
    from ralphgit.rules import claim_options  # few command lines have them

    return claim_options.priorities(words)


TASK = arg("task", "ID", task=True)
ANY_TASK = arg("task", "[ID]", kind="optional", task=True)
TASKS = arg("tasks", "[ID...]", kind="any", task=True)
STORY = text("story", "Only tasks of this story.", metavar="S")
PRIORITY = text(
    "priority", "Only tasks of these priorities: 2, 0-1 or 0,3.", metavar="RANGE",
    parse=_priorities,
)  # fmt: skip
AMOUNT = (integer("limit", f"At most N; {MOST} by default."), flag("all", "All of them."))
WORKER = text("worker", "The worker's name.", metavar="NAME", setting=True)
PROVIDES = text("provides", "What is here that tasks need.", metavar="NAME[,NAME]", setting=True)
AT = text("at", "The graph on any revision instead of this worktree's files.", metavar="REV")
NO_FETCH = flag("no_fetch", "Judge by what was fetched before.", unsets="fetch")
NO_PUSH = flag("no_push", "Leave the commit on the local base branch.", unsets="push")
FETCH = flag("fetch", "Fetch the base branch first.")

_AGE = r"(?a)(\d{1,6})([smhdw]?)"
_UNIT = {"": 86400, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def age(text: str) -> float:
    """Read an age in seconds; a number alone is days. Raises: UsageError."""
    found = re.fullmatch(_AGE, text)
    if not found:
        raise UsageError(f"{text!r} is not an age", hint="90d, 2w, 12h or 0")
    return float(found[1]) * _UNIT[found[2]]


def interval(text: str) -> float:
    """Read how often something is done, in seconds; a number alone is seconds.

    Raises: UsageError.
    """
    found = re.fullmatch(_AGE, text)
    if not found or not int(found[1]):
        raise UsageError(f"{text!r} is not an interval", hint="10m, 1h or 90s")
    return float(found[1]) * (_UNIT[found[2]] if found[2] else 1)


#: How an option says that there is no limit of time.
FOREVER = "inf"
_NUMBER = r"(?a)\d{1,9}(\.\d{1,9})?"


def seconds(text: str) -> float:
    """Read a time in seconds. Raises: UsageError for what is not a number, 0 or more."""
    if text != FOREVER and not re.fullmatch(_NUMBER, text):
        raise UsageError(f"{text!r} is not a number of seconds", hint="a number such as 30 or 0.5")
    return float(text)


def reason(text: str) -> str:
    """Read why something is forced. Raises: UsageError for no word, and for what is no text."""
    from ralphgit.model import characters

    characters.refuse("force", text)
    if not text.strip():
        raise UsageError("--force takes a reason, and there is none", hint='--force "TEXT"')
    return text


def dollars(text: str) -> float:
    """Read an amount of US dollars. Raises: UsageError for what is not a number, 0 or more."""
    if not re.fullmatch(_NUMBER, text):
        raise UsageError(f"{text!r} is not an amount in USD", hint="a number such as 5 or 0.5")
    return float(text)


#: The fields of a task.
CONTRACT = (
    text("title", "What is to be done, in one line."),
    text("story", "The story it belongs to.", metavar="S"),
    integer("priority", "0 to 5, lower first.", metavar="P"),
    text("complexity", "How large it is, in your own words (S, M, L).", metavar="C"),
    many("depends_on", "A task that must be complete before; repeatable.", metavar="ID"),
    text("description", "More about it, in as many lines as it takes."),
    many("acceptance", "A criterion; repeatable."),
    many("verify", "A command that proves it; repeatable.", metavar="CMD"),
    many("proves", "The criterion that a command proves; repeatable.", metavar="ID=CMD"),
    many("output", "A file that must exist afterwards; repeatable.", metavar="PATH",
         field="outputs"),
    many("write", "A pattern of files it may change; repeatable.", metavar="GLOB"),
    many("read", "A pattern of files it builds on; repeatable.", metavar="GLOB"),
    many("resource", "What one task at a time may use; repeatable.", metavar="NAME",
         field="resources"),
    text("mode", "Beside its story.", metavar="MODE",
          choices=("parallel", "sequential", "verify")),
    text("milestone", "The milestone it counts towards.", metavar="M"),
    many("tag", "A word to find it by; repeatable.", metavar="WORD", field="tags"),
    text("risk", "How much harm a mistake could do.", metavar="RISK",
          choices=("low", "medium", "high")),
    text("budget", "What its attempts may cost.", metavar="USD", parse=dollars),
    many("needs", "What its worker has to provide; repeatable.", metavar="NAME"),
    text("agent", "The profile whose agent does it.", metavar="PROFILE"),
    text("review", "The profile that reviews it before it lands.", metavar="PROFILE"),
)  # fmt: skip
