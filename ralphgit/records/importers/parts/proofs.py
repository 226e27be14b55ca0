"""Take from a command or a shell block what proves something: it changes nothing, and may fail."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ralphgit.records.importers.parts import commands_in_prose, endless_commands, plan_words
from ralphgit.records.importers.parts.plan_words import Expected, Finds

_FIRST = r"(?:[A-Z_][A-Z0-9_]*=\S*\s+|sudo\s+|time\s+)*"
_CHANGES = re.compile(
    rf"{_FIRST}(?:git(?:\s+-[cC]\s+\S+)*\s+(?:add|commit|rm|mv|push|pull|checkout|switch|worktree"
    r"|reset|restore|stash(?!\s+list)|tag|merge|rebase|cherry-pick|revert|clean|apply(?!\s+--check)|am)\b"
    r"|git(?:\s+-[cC]\s+\S+)*\s+branch\s+(?:-[dDmMcCf]\b|[A-Za-z])|(?:rm|rmdir|unlink)\s"
    # What changes a board, an issue or a pull request.
    r"|backlog\s+(?:task|draft|doc|decision)\s+(?:create|edit|archive|complete|demote|promote)\b"
    r"|gh\s+(?:pr|issue|release)\s+(?:create|edit|close|merge|comment|delete|reopen|ready)\b"
    r"|bd\s+(?:create|update|close|reopen|dep|delete)\b)"
)
_WINDOW = re.compile(rf"{_FIRST}(?:open|xdg-open|agent-browser)\s")
#: Gets ready what others prove something with.
_PREPARES = re.compile(
    rf"{_FIRST}(?:composer\s+(?:dump-?autoload|install|update|require|remove)"
    r"|npm\s+(?:ci|i|install)|(?:pnpm|yarn|bun)\s+(?:install|add)|bundle\s+install"
    r"|pip3?\s+install|uv\s+sync|poetry\s+install|mkdir|cp|touch)(?:\s|\Z)"
)
_SHORTENS = re.compile(r"(?:tail|head|less|more|cat|wc)\b")
#: What git shows, with the same exit code whatever that is.
_SHOWS = re.compile(
    rf"{_FIRST}git(?:\s+-[cC]\s+\S+)*\s+(?:status|log|branch|remote|stash list|show"
    r"|diff(?!.*\s--(?:exit-code|quiet|check)\b))(?:\s|\Z)"
)
_PLACEHOLDER = re.compile(r"<[A-Za-z]\w*(?:[ _-]\w+)*>")
#: In quotes it may be text that is looked for, `"<main>"`.
_QUOTED_PLACEHOLDER = re.compile(
    r"<(?:[\w-]+[ _-])?(?:id|name|path|url|token|host|port|key|user|branch)>", re.IGNORECASE
)
#: In a request, words in capitals stand for what somebody is to put there.
_ASKS = re.compile(rf"{_FIRST}(?:curl|wget|https?|xh|nc|websocat)\s")
_TO_FILL_IN = re.compile(
    r"(?<![\w${])(?:(?:[A-Z]+_)+(?:ID|SLUG|TOKEN|KEY|URL|NAME|UUID)|TOKEN|YOUR_\w+)(?![\w=])"
    r"|\byour[-_@]?(?:e-?mail|domain|host|password|token|key|id|name)\b"
)
#: A server in this worktree, which nobody has started but the same commands.
_NEAR = re.compile(r"\b(?:localhost|127\.0\.0\.1|0\.0\.0\.0)\b|\[::1\]")
_BACKGROUND = re.compile(r"(?<![&>])&(?![&>0-9])|\s(?:-d|--detach|--daemon)\b|\bnohup\b")
_PASSES = re.compile(r"\|\|\s*(?:true|:|exit 0|(?:echo|printf)\b[^&|;]*)\s*(?:;\s*done)?\s*\Z")
#: The same behind a command that stands alone: `a; echo done`, or that shows how it ended.
_ENDS = re.compile(r";\s*(?:echo|printf)\b[^&|;\n]*\Z")
_FAILS = re.compile(r"\s#.*\b(?:expect\w*|should|must)\b.*\b(?:red|fail\w*)\b", re.IGNORECASE)
#: At the end of a command: it shows less of what is printed, and succeeds whatever that was.
_HIDES = re.compile(
    r"(?:2>&1\s*)?\|&?\s*(?:tail|head|less|more|cat|tee|wc)(?:\s+[^|&;<>()\"'`\n]*)?\Z"
)
#: Fails where it finds nothing; and what succeeds all the same.
_SEARCHES = re.compile(
    rf"{_FIRST}(?:git\s+grep|grep|egrep|fgrep|rg|ag|ack)\s(?!.*\s(?:-L|--files-without))"
)
_LISTS = re.compile(rf"{_FIRST}(?:find|fd|ls|awk|sed|jq|sort|uniq|comm)\s")
_SAYS = re.compile(r"(?:echo|printf|true|:|cd|export|set|sleep)(?:\s|\Z)|#")
_QUOTES = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_HERE = re.compile(r"<<-?\s*[\"']?(\w+)")
#: Lines of these belong together.
_BLOCK = re.compile(
    r"^\s*(?:(?:for|while|until|if|case|function)\s|(?:done|fi|esac)\b|\w+\s*\(\)|[(){}]\s*$)"
    r"|\b(?:do|then|else)\s*$",
    re.MULTILINE,
)
#: A command has no more lines: a quotation that never ends is not looked for further.
_LONGEST = 100


class Proof(NamedTuple):
    """What is left of a command or a block."""

    command: str
    """"" where nothing of it proves anything."""
    left: tuple[tuple[str, str], ...] = ()
    """What was left out of it, each with the reason."""
    inverted: bool = False
    """It passes where nothing is found."""


def of(
    code: str, finds: Finds = Finds.SOMETHING, is_found: Callable[[str], bool] | None = None
) -> Proof:
    """The command that `code` is, or of a block the script of its lines that prove something.

    A line that searches, and is to find nothing, is turned round, but for one of which `is_found`
    says that something is there in any case.
    """
    typed = "\n".join(map(commands_in_prose.typed, code.splitlines()))
    known = _WINDOW.match(typed) or commands_in_prose.is_command(typed)
    if not known:
        return Proof("")
    units = list(_units(typed))
    # What stands beside a server is no use without it.
    if any(map(endless_commands.runs_on, units)):
        return Proof("", ((units[0], "runs on"),))
    alone = not _BACKGROUND.search(_QUOTES.sub("''", typed))
    single = sum(1 for unit in units if unit.strip()) == 1
    whys = [
        _why_not(unit, single=single) or ("needs a server" if alone and _needs_server(unit) else "")
        for unit in units
    ]
    left = tuple((unit, why) for unit, why in zip(units, whys, strict=True) if why)
    kept = [unit for unit, why in zip(units, whys, strict=True) if not why]
    if not _BLOCK.search(typed):
        hidden = [(found[0].strip(), "hides failures") for unit in kept
                  if (found := _HIDES.search(unit))]  # fmt: skip
        left, kept = (*left, *hidden), [_HIDES.sub("", unit).rstrip() for unit in kept]
    remarks = {unit: _remark(unit) for unit in kept}
    if any(one.runs_on for one in remarks.values()):
        return Proof("", (*left, (kept[0], "runs on")))
    wants = {unit: Finds.NOTHING if one.finds is Finds.NOTHING else finds
             for unit, one in remarks.items()}  # fmt: skip
    reasons = {
        unit: "is to find nothing" if _is_unsure(unit, want)
        else "finds the plan itself" if is_found and _is_vain(unit, want, is_found) else ""
        for unit, want in wants.items()
    }  # fmt: skip
    left = (*left, *((unit, why) for unit, why in reasons.items() if why))
    kept = [unit for unit in kept if not reasons[unit]]
    turned = {unit: f"! {unit.strip()}" for unit in kept if _turns(unit, wants[unit])}
    kept = [turned.get(unit, unit) for unit in kept]
    parts = [part for unit in kept for part in _parts(unit) if not _SAYS.match(part)]
    if parts and all(map(_PREPARES.match, parts)):
        return Proof("", (*left, *((unit, "only prepares") for unit in kept)))
    if not (left or turned):
        return Proof(commands_in_prose.script(typed))
    if _BLOCK.search(typed) or all(not unit.strip() or _SAYS.match(unit.strip()) for unit in kept):
        return Proof("", left)
    rest = "\n".join(kept).strip("\n")
    good = commands_in_prose.is_command(rest)
    return Proof(commands_in_prose.script(rest) if good else "", left, bool(turned))


def _units(code: str) -> Iterator[str]:
    """The commands of a block, each with the lines that it goes on for."""
    lines: list[str] = []
    until = ""
    for line in code.splitlines():
        lines.append(line)
        if until:
            until = "" if line.strip() == until else until
        elif here := _HERE.search(line):
            until = here[1]
        whole = not until and not line.endswith("\\") and _is_whole("\n".join(lines))
        if whole or len(lines) == _LONGEST:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def searches(code: str) -> bool:
    """Whether a command only looks for something in files, and is not turned round."""
    return "\n" not in code and _SEARCHES.match(code) is not None


def _is_whole(text: str) -> bool:
    """Whether every quotation in it ends."""
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def _turns(unit: str, finds: Finds) -> bool:
    """Whether a command searches alone, or at the end of a pipe, for what is not to be there."""
    plain = _QUOTES.sub("''", unit.strip())
    alone = not re.search(r"&&|\|\||[;\n]", plain)
    return finds is Finds.NOTHING and alone and bool(_SEARCHES.match(_parts(unit)[-1]))


def _is_vain(unit: str, finds: Finds, is_found: Callable[[str], bool]) -> bool:
    """Whether what a search is not to find is there in any case."""
    return (unit.strip().startswith("! ") or _turns(unit, finds)) and is_found(unit)


def _remark(unit: str) -> Expected:
    """What the words behind a command expect of it."""
    found = re.search(r"\s#\s*(.*)\Z", _QUOTES.sub("''", unit))
    return plan_words.expected(found[1]) if found else Expected()


def _is_unsure(unit: str, finds: Finds) -> bool:
    """Whether a command says by what it prints, and not by its exit code, that nothing is there."""
    if finds is Finds.SOMETHING or unit.strip().startswith("! ") or _turns(unit, finds):
        return False
    return any(_SEARCHES.match(part) or _LISTS.match(part) for part in _parts(unit)[-1:])


def _needs_server(unit: str) -> bool:
    return any(map(_ASKS.match, _parts(unit))) and _NEAR.search(unit) is not None


def _parts(unit: str) -> list[str]:
    """The single commands of a line, without what stands in quotes."""
    plain = _QUOTES.sub("''", unit.strip())
    return [part.strip() for part in re.split(r"&&|\|\||[;|\n]", plain)]


def _why_not(unit: str, *, single: bool) -> str:
    """Why a command proves nothing; "" where it may."""
    plain = _QUOTES.sub("''", unit.strip())
    parts = _parts(unit)
    if any(map(_CHANGES.match, parts)):
        return "changes files or commits"
    if any(map(_WINDOW.match, parts)):
        return "opens a window"
    if _PLACEHOLDER.search(plain) or _QUOTED_PLACEHOLDER.search(unit):
        return "has a placeholder"
    if any(map(_ASKS.match, parts)) and _TO_FILL_IN.search(unit):
        return "has a placeholder"
    if _FAILS.search(unit):
        return "is to fail"
    bare = re.sub(r"\s#.*", "", plain)
    ends = (single or "$?" in unit) and _ENDS.search(bare)
    if (
        _PASSES.search(bare)
        or ends
        or all(_SHOWS.match(part) or _SHORTENS.match(part) for part in parts)
    ):
        return "cannot fail"
    return ""
