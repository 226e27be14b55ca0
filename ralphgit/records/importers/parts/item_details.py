"""Read one item of a task list: its id and markers, and the labelled items below it.

- [ ] 1.1 [P] Write the parser        id, markers, title
  - **Do**: ...                       description, with what has no label
  - **Files**: `src/parser.py`        scope.write, and outputs where a file is named
  - **Done when**: ...                acceptance
  - **Verify**: `npm test`            verify, where it is a command; else acceptance; a command may
                                      be followed by (proves ACC-1, ACC-2)
  - **Commit**: `feat: parser`        x-commit
  - **Depends on**: 1.0               depends_on; **Dependencies**, where it names ids alone
  - **Agent**: librarian              agent, where it is the name of a profile
  - **Needs**: gpu, browser           needs, where all of it are names
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ralphgit.model.ids import is_id
from ralphgit.model.offered_scope import SUGGESTED
from ralphgit.model.task_status import Mode
from ralphgit.records.importers.parts import commands_in_prose, paths_in_prose, plan_words
from ralphgit.records.importers.parts.markdown_items import Node, code_spans, only_code
from ralphgit.records.importers.parts.suggested_scope import suggestion

_NUMBER = r"[0-9]+(?:\.[0-9]+)+[a-z]?"
_NAME = (
    rf"[A-Z]{{1,6}}-?[0-9]+[A-Za-z]?(?:[.-][0-9]+[A-Za-z]?)*|{_NUMBER}|[0-9]+(?=[.):])"
    r"|[A-Z]{1,2}\.[0-9]+(?:\.[0-9]+)*|[A-Z]\.[A-Z](?![.\w])|TASK-[A-Z]{1,4}"
)
#: An id, plain, behind a word or in emphasis or code: `T1`, `**T1**`, `Task 1:`, `[1.2]`, `#21`.
_ID = re.compile(
    rf"(?:(?P<open>\*\*|__|`)?(?:(?:Tasks?|Steps?)\s+)?(?P<id>{_NAME})"
    r"(?(open)[.):]?(?P=open)|)"
    rf"|\[(?P<boxed>{_NUMBER}|[0-9]{{4,8}}-[0-9]+)\]|\#(?P<hash>[0-9]+)"
    r"|(?P<plan>[0-9]{2}(?:\.[0-9]+)?-[0-9]{2})(?:-PLAN(?:\.md)?|(?=:)))(?=[.):]?(?:\s|$))"
)
#: Emphasis around an id and what stands behind it: `**T1: Write it**`.
_BOLD = re.compile(
    rf"(\*\*|__)(?=(?:(?:Tasks?|Steps?)\s+)?(?:{_NAME})(?:[.):]\s|\s+[|\u2013\u2014-]\s))(.+?)\1"
)
_STRUCK = re.compile(r"~~(.+)~~")
_MARKER = re.compile(r"(?:\[([A-Za-z]+(?:-[A-Za-z]+)*-?[0-9]*)\]|\(([Pp])\))\s*")
#: A marker of somebody else, as `[T]`; also behind a sign. Neither a link nor a reference.
_UNKNOWN = re.compile(r"(?:[^\w\s\[\](){}<>`*~#.-]+\s*)?\[([A-Z]{1,12})\](?!\()\s*")
_STORY = re.compile(r"(?:[A-Z]+-)?US-?[0-9]+")
_LABEL = re.compile(
    r"(?:\*\*|__)?(do|files?|done when|acceptance(?: criteria)?|ac|verify|verification|commit"
    rf"|depends|{plan_words.DEPENDS}|agent|needs)\s*"
    r"(?::\s*(?:\*\*|__)|(?:\*\*|__)\s*:|:)\s*",
    re.IGNORECASE,
)
#: What a title says of its dependencies: `(depends on T012, T013)`.
_REMARKED = re.compile(
    r"[(\[;\u2013\u2014]\s*(?:depends(?: on)?|dependent on|blocked by|requires|after)\b:?\s+"
    r"(?P<refs>[^()\[\];]*)",
    re.IGNORECASE,
)
_BESIDE_IDS = frozenset({"and", "to", "phase", "phases", "task", "tasks", "step", "steps"})
#: A remark behind a reference to another item.
_BEHIND = re.compile(r"(?<!\s)\s*\([^()]*\)[ .]*\Z")
_AROUND = " .\"'*_`"
_RANGE = re.compile(
    r"\b([A-Z]*[0-9][\w.]{0,63})\s*(?:-|\u2013|\u2014|\.\.\.?|\bto\b|\bthrough\b)\s*([A-Z]*[0-9]\w*(?:\.\w+)*)",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"(?:none|nothing|n/a|-)?\.?(?:\s*\(.*\))?", re.IGNORECASE)
#: What stands beside a path and names no other: `(new)`, `Create:`, an arrow.
_REMARK = re.compile(r"\([^()]*\)|\b[A-Z][a-z]+:|\blines?\s[0-9-]+|[\u2192>-]+")
#: "Checkpoint - All tests pass", not "Checkpoint files are written".
_CHECKPOINT = re.compile(
    r"(?:final\s+)?checkpoint\s*(?:[-:.(\u2013\u2014]\s*|\Z)"
    r"|(?:conductor\s+-\s+)?(?=user manual verification)",
    re.IGNORECASE,
)
_TAKES_AWAY = re.compile(r"(?:remove|delete|drop|rename|move)\b", re.IGNORECASE)

#: Behind a command: the criteria that it proves.
_PROVES = re.compile(r"\s*\(proves\s+([\w.-]+(?:\s*,\s*[\w.-]+)*)\)$")


class Marked(NamedTuple):
    """An item's own line."""

    id: str
    """"" where it has none."""
    title: str
    parallel: bool
    mode: str
    """One of `Mode`, "" where no marker says."""
    story: str
    unknown: tuple[str, ...] = ()
    """Markers without a meaning, which stay in the title."""


class Details(NamedTuple):
    """What stands below it."""

    fields: dict[str, object]
    depends_on: str | None
    """As it is written, for `references`; None where nothing is said."""
    commit: str
    strange: tuple[str, ...]
    """What is listed among the files and is not a path."""
    named: tuple[str, ...]
    """Paths in the title, and in code among what has no label."""


def has_id(text: str) -> bool:
    return _ID.match(_unwrapped(text.removeprefix("~~"))) is not None


def _unwrapped(text: str) -> str:
    """An item's words without emphasis around its id and some of what follows."""
    bold = _BOLD.match(text)
    return f"{bold[2]}{text[bold.end() :]}" if bold else text


def marked(text: str, *, ids: bool) -> Marked:
    """The id (only where the list has `ids`), the markers and the title of an item's words."""
    struck = _STRUCK.fullmatch(text)
    text = struck[1] if struck else text
    text = _unwrapped(text) if ids else text
    found = _ID.match(text) if ids else None
    name = next(filter(None, found.group("id", "boxed", "hash", "plan")), "") if found else ""
    rest = (
        re.sub(r"^[.):]?\s*(?:[-\u2013\u2014|]\s+(?!\[))?", "", text[found.end() :])
        if found
        else text
    )
    parallel, mode, story, unknown, kept = False, "", "", list[str](), ""
    while marker := _MARKER.match(rest) or _UNKNOWN.match(rest):
        word = (marker[1] or marker[marker.lastindex or 1]).upper()
        if word in ("P", "PARALLEL"):
            parallel = True
        elif word in ("VERIFY", "SEQUENTIAL"):
            mode = word.lower()
        elif _STORY.fullmatch(word):
            story = word
        elif other := _UNKNOWN.match(rest):
            unknown.append(other[1])
            kept += rest[: other.end()]
            rest = rest[other.end() :]
            continue
        else:
            break
        rest = rest[marker.end() :].removeprefix(":").lstrip()
        kept = f"{kept.rstrip()} " if kept else ""
    return Marked(
        name, f"{kept}{rest}".rstrip(), parallel and not mode, mode, story, tuple(unknown)
    )


def remarked(title: str) -> str:
    """What a title says in a remark that its item depends on; "" where it says nothing."""
    return "; ".join(found["refs"] for found in _REMARKED.finditer(title))


def details(title: str, mode: str, nodes: Sequence[Node]) -> Details:
    """The fields that the nodes below an item say; `nodes` has none of its inner tasks."""
    found = _Reading()
    for node in nodes:
        label = _LABEL.match(node.text) if node.kind == "item" else None
        if label is None:
            if node.kind != "comment":
                found.take_rest(node)
            continue
        word, words = label[1].casefold(), node.text[label.end() :].strip()
        if word == "do":
            begin = _LABEL.match(node.raw)
            found.do.append(node.raw[begin.end() if begin else 0 :].strip())
            found.named += paths_in_prose.named("", code_spans(node.raw))
        elif word in ("file", "files"):
            found.take_files(words, node.nodes)
        elif word in ("done when", "acceptance", "acceptance criteria", "ac"):
            found.criteria += [words] if words else []
            found.criteria += [inner.raw for inner in node.nodes]
        elif word in ("verify", "verification"):
            found.take_checks(words, node.nodes)
        elif word == "commit":
            found.commit = "" if _NOTHING.fullmatch(words) else only_code(words) or _bare(words)
        elif word == "agent":
            name = only_code(words) or words
            if is_id(name):
                found.agent = name
            else:
                found.take_rest(node)
        elif word == "needs":
            names = [only_code(part) or part for part in re.split(r"[\s,]+", words) if part]
            if names and all(is_id(one) and not re.fullmatch(_NAME, one) for one in names):
                found.needs = names
            else:
                found.take_rest(node)
        elif word == "depends on" or _only_ids(words):
            found.depends_on = words
        else:  # Words that need not name items: packages, services.
            found.take_rest(node, paths=False)
    return found.made(title, mode)


def _only_ids(words: str) -> bool:
    """Whether words name nothing but items by their ids, or say that there are none."""
    bare = (word.strip(f"{_AROUND}()[]:") for word in re.split(r"[\s,;&]+", _BEHIND.sub("", words)))
    return _NOTHING.fullmatch(words) is not None or all(
        not word
        or word.casefold() in _BESIDE_IDS
        or re.fullmatch(rf"{_NAME}|[0-9]+", word)
        or _RANGE.fullmatch(word)
        for word in bare
    )


class _Reading:
    def __init__(self) -> None:
        self.do: list[str] = []
        self.rest = ""
        self._item = False
        self.files: list[str] = []
        self.strange: list[str] = []
        self.more: list[str] = []
        """What is listed among the files in words: the list is open."""
        self.named: list[str] = []
        self.criteria: list[str] = []
        self.commands: list[str] = []
        self.proves: dict[str, list[str]] = {}
        """The criteria that a command proves, by the command."""
        self.commit = self.agent = ""
        self.needs: list[str] = []
        self.depends_on: str | None = None

    def take_rest(self, node: Node, *, paths: bool = True) -> None:
        item = node.kind == "item"
        if paths and node.kind != "fence":
            self.named += paths_in_prose.named("", code_spans(node.raw))
        words = f"- {_hung(node.raw)}" if item else node.raw
        self.rest += ("\n" if item and self.rest and self._item else "\n\n") + words
        self._item = item

    def take_files(self, words: str, nodes: Sequence[Node]) -> None:
        for text in (words, *(node.text for node in nodes)):
            if _NOTHING.fullmatch(text) or re.fullmatch(r"\(.*\)", text):
                continue
            spans = code_spans(text)
            for entry in spans or re.split(r",\s*", text):
                path = paths_in_prose.listed(entry)
                (self.files if path else self.strange).append(path or entry)
            for span in spans:
                text = text.replace(f"`{span}`", ",", 1)
            rest = (part.strip(" .") for part in re.split(r"[,;]", _REMARK.sub("", text)))
            self.more += [part for part in rest if " " in part and not paths_in_prose.listed(part)]

    def take_checks(self, words: str, nodes: Sequence[Node]) -> None:
        for text in (words, *(node.text for node in nodes if node.kind == "item")):
            proves = _PROVES.search(text)
            if commands := commands_in_prose.of_text(text[: proves.start()] if proves else text):
                self.commands += commands
                if proves:
                    proved = [one.strip() for one in proves[1].split(",")]
                    self.proves.update(dict.fromkeys(commands, proved))
            elif text and not _NOTHING.fullmatch(text):
                self.criteria.append(text)
        for node in nodes:
            if node.kind == "fence" and node.text.strip():
                lines = "\n".join(map(commands_in_prose.typed, node.text.strip().splitlines()))
                if commands_in_prose.is_command(lines):
                    self.commands.append(commands_in_prose.script(lines))
                else:
                    self.criteria.append(lines)
            elif node.kind == "text":
                self.criteria.append(node.raw)

    def made(self, title: str, mode: str) -> Details:
        fields: dict[str, object] = {}
        description = "\n\n".join(filter(None, ("\n".join(self.do), self.rest.strip("\n"))))
        checkpoint = None if mode or self.files else _CHECKPOINT.match(title)
        if checkpoint:
            mode = Mode.VERIFY.value
        if description.strip():
            fields["description"] = description
        if self.criteria:
            fields["acceptance"] = [text for text in self.criteria if text.strip()]
        if mode == Mode.VERIFY and not self.commands:
            self.commands = commands_in_prose.of_checkpoint(title)
        if checkpoint and not (self.commands or self.criteria):
            lines = [line[2:] for line in description.split("\n") if line.startswith("- ")]
            said = [line for line in lines if not line.startswith("_")]  # _Requirements: 1.1_
            fields["acceptance"] = said or [title[checkpoint.end() :] or description or title]
        if self.commands:
            fields["verify"] = [
                {"run": one, "proves": self.proves[one]} if one in self.proves else one
                for one in self.commands
            ]
        files = list(dict.fromkeys(self.files))
        outputs = [path for path in files if paths_in_prose.is_file(path)]
        if outputs and mode != Mode.VERIFY and not _TAKES_AWAY.match(title):
            fields["outputs"] = outputs
        if files and self.more:
            fields[SUGGESTED] = suggestion(files, ", ".join(self.more))
        elif files:
            fields["scope"] = suggestion(files)
        if mode:
            fields["mode"] = mode
        if self.needs:
            fields["needs"] = self.needs
        if self.agent:
            fields["agent"] = self.agent
        named = dict.fromkeys((*paths_in_prose.named(title, code_spans(title)), *self.named))
        return Details(fields, self.depends_on, self.commit, tuple(self.strange), tuple(named))


def _hung(raw: str) -> str:
    """The lines of an item below its mark again."""
    return raw.replace("\n", "\n  ")


def spelled_out(words: str, known: Mapping[str, str], order: Sequence[str]) -> str:
    """`words` with each task of a range named, as `T001-T003`, where both ends are `known`.

    `order` has the values of `known` in their order.
    """

    def each(ends: re.Match[str]) -> str:
        first, last = (known.get(end.casefold(), "") for end in ends.groups())
        if not (first and last) or order.index(first) > order.index(last):
            return ends[0]
        return ", ".join(order[order.index(first) : order.index(last) + 1])

    return _RANGE.sub(each, words)


def references(words: str, known: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The tasks that `words` name, and what of them names none, as it is written.

    `known`: each task by what it may be called, case-folded: its id and its title.
    """
    found: list[str] = []
    missing: list[str] = []
    for part in () if _NOTHING.fullmatch(words) else _parts(words, known):
        each = [part] if _named(part, known) else part.split()
        ids = [_named(one, known) for one in each]
        unknown = [one.strip(" .") for one, id in zip(each, ids, strict=True) if not id]
        if all(map(_like_id, unknown)):
            found += filter(None, ids)
            missing += filter(None, unknown)
        elif bare := part.strip(" ."):
            missing.append(bare)
    return list(dict.fromkeys(found)), list(dict.fromkeys(missing))


def _parts(words: str, known: Mapping[str, str]) -> Iterator[str]:
    """What stands between semicolons, commas and "and", where that is not all one title."""
    spans = code_spans(words)
    yield from spans
    for span in spans:
        words = words.replace(f"`{span}`", ",", 1)
    for chunk in words.split(";"):
        parts = re.split(r",\s*(?:and\s+)?|\s+and\s+", chunk)
        for part in [chunk] if _called(chunk, known) else parts:
            # Beside references in code, words that name none join them.
            if part.strip(" .") and (not spans or _named(part, known)):
                yield part


def _named(words: str, known: Mapping[str, str]) -> str:
    """The task that is called so, also with a remark behind it; "" for none."""
    if called := _called(words, known):
        return called
    bare = _BEHIND.sub("", words).strip(_AROUND)
    number = _ID.match(f"{bare} ")
    if number is None:
        return ""
    id = known.get((number["id"] or number["boxed"] or number["hash"]).casefold(), "")
    others = bare[number.end() :].split()
    return "" if any(map(_like_id, others)) else id


def _called(words: str, known: Mapping[str, str]) -> str:
    """The task that has just this id or title; "" for none."""
    bare = _BEHIND.sub("", words).strip(_AROUND)
    return known.get(words.strip().casefold()) or known.get(bare.casefold(), "")


def _like_id(word: str) -> bool:
    return has_id(f"{word})")


def _bare(words: str) -> str:
    return words[1:-1] if len(words) > 1 and words[0] == words[-1] == '"' else words
