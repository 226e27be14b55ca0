"""Read a file to be imported: its text, and what it is as YAML, JSON or Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum
from functools import cached_property

from ralphgit.errors import InvalidRecord
from ralphgit.records import input_limits
from ralphgit.records.importers.parts import json_places, loose_yaml, markdown_items, strict_json
from ralphgit.records.importers.parts.front_matter import FENCED
from ralphgit.records.importers.parts.markdown_items import USUAL, Boxes, Node
from ralphgit.records.importers.parts.source_values import as_mapping

#: Fields that show that front matter describes a task, or a plan for several.
_TASK_FIELDS = frozenset({"id", "title", "status", "depends_on"})
_GRAPH_KEYS = frozenset({"nodes", "tasks"})
_JSON_OBJECT = re.compile(r"\s*\{\s*\"")


#: What a terminal shows as colour, as it is or as JSON writes it: text that was copied from one.
_ESCAPE = re.compile(r"\x1b|\\u001b", re.IGNORECASE)
_COLOUR = re.compile(r"(?:\x1b|(?<!\\)\\u001b)\[[0-9;]*[A-Za-z]", re.IGNORECASE)


class Form(Enum):
    """What a file is written in."""

    YAML = "YAML"
    """A mapping with `nodes:` or `tasks:` at its root, or one JSON object."""
    JSON_LIST = "a JSON list"
    JSON_LINES = "JSON lines"
    TEXT = "text"
    """Markdown, or anything else."""


class SourceFile:
    """One file, which several formats look at and which is parsed once."""

    def __init__(
        self,
        name: str,
        data: bytes,
        parse: Callable[[str], object],
        *,
        hint: str = "",
        boxes: Boxes = USUAL,
    ) -> None:
        """Decode `data`; `parse` turns YAML text into values, `hint` says what could be read.

        Raises: InvalidRecord for what is not UTF-8.
        """
        try:
            text = data.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise InvalidRecord(
                "the file is not UTF-8 text", file=name, line=line, hint="save the file as UTF-8"
            ) from error
        self.text = _COLOUR.sub("", text) if _ESCAPE.search(text) else text
        if not self.text.isprintable():
            try:
                input_limits.refuse_raw(self.text)
            except InvalidRecord as error:
                raise error.at(name) from None
        self.name = name
        """As the user named it; for messages, not for recognising a format."""
        self.boxes = boxes
        """What the signs in a Markdown list's boxes say."""
        self.bullets = False
        """Items without a box are tasks, too, as the user has said."""
        self.beside: tuple[str, ...] = ()
        """The statuses of the documents in its folder: what their owner calls done."""
        self._parse = parse
        self._refused: dict[str, InvalidRecord] = {}
        self._hint = hint

    @cached_property
    def front_matter(self) -> dict[str, object]:
        """The YAML mapping between the first two lines `---`; empty where there is none.

        Raises: InvalidRecord.
        """
        found = FENCED.match(self.text)
        if found is None:
            return {}
        # The empty line stands for the opening fence: the parser's line numbers are the file's.
        text = "\n" + loose_yaml.numbered(found["inside"])
        try:
            return as_mapping(self._parsed(text)) or {}
        except InvalidRecord:
            # Tools that take a line for a key and any text behind it write what is no YAML.
            quoted = loose_yaml.quoted(text)
            if quoted == text:
                raise
            return as_mapping(self._parsed(quoted)) or {}

    def front_matter_words(self, key: str) -> list[str]:
        """What stands under `key` in the front matter as it is written: 001 and 1.10 keep digits.

        Empty where it is not a plain word or a list of such.
        """
        found = FENCED.match(self.text)
        return loose_yaml.words(found["inside"], key) if found else []

    @property
    def behind_front_matter(self) -> str:
        """The text after the front matter."""
        found = FENCED.match(self.text)
        return self.text[found.end() :] if found else self.text

    @cached_property
    def body(self) -> str:
        """The text, with empty lines in place of front matter that says what the document is.

        Raises: InvalidRecord.
        """
        keys = self.front_matter.keys()
        if not keys & _TASK_FIELDS or keys & _GRAPH_KEYS:
            return self.text
        rest = self.behind_front_matter
        front = self.text[: len(self.text) - len(rest)]
        return "\n" * front.count("\n") + rest

    @cached_property
    def form(self) -> Form:
        """What the body is written in, by how it begins.

        Raises: InvalidRecord where front matter is no YAML.
        """
        sign = self.body.lstrip()[:1]
        if sign == "[":
            return Form.JSON_LIST
        if not _may_be_yaml(self.body):
            return Form.JSON_LINES if sign == "{" else Form.TEXT
        return Form.JSON_LINES if sign == "{" and self._is_one_task() else Form.YAML

    @cached_property
    def root(self) -> dict[str, object]:
        """The root mapping of a file in YAML; empty for every other form.

        Raises: InvalidRecord.
        """
        if isinstance(self._root, InvalidRecord):
            raise self._root
        return self._root

    @cached_property
    def _root(self) -> dict[str, object] | InvalidRecord:
        """The root mapping, or its refusal: each format asks, and finding a fault is slow."""
        if self.form is not Form.YAML:
            return {}
        try:
            return as_mapping(self._parsed(self.body)) or {}
        except InvalidRecord as error:
            means_json = self.name.endswith(".json") or _JSON_OBJECT.match(self.body)
            return self._as_json() if means_json else error

    def _as_json(self) -> dict[str, object] | InvalidRecord:
        """The body that is no YAML as JSON, which may have tabs, or what is wrong with it."""
        try:
            return as_mapping(strict_json.load(self.name, self.body)) or {}
        except InvalidRecord as error:
            return error

    @cached_property
    def objects(self) -> tuple[tuple[int, dict[str, object]], ...]:
        """The JSON objects of a list or of lines, each with its line; none in other forms.

        Raises: InvalidRecord with the line.
        """
        if self.form not in (Form.JSON_LIST, Form.JSON_LINES):
            return ()
        entries = _list_entries if self.form is Form.JSON_LIST else strict_json.lines
        found = []
        for line, item in entries(self.name, self.body):
            fields = as_mapping(item)
            if fields is None:
                raise self.refused("this is not a JSON object", line=line)
            found.append((line, fields))
        return tuple(found)

    @cached_property
    def blocks(self) -> tuple[Node, ...]:
        """The headings, list items and other blocks of a Markdown document.

        Raises: InvalidRecord for lists nested too deep.
        """
        return markdown_items.read(self.name, self.body, self.boxes)

    def may_hold_list(self) -> bool:
        """Whether a line of the text looks like an item that is a task."""
        return self.may_hold_boxes() or (self.bullets and self.has_bullets())

    def may_hold_boxes(self) -> bool:
        """Whether a line of the text looks like an item with a box."""
        return markdown_items.may_hold_tasks(self.text, self.boxes)

    def has_bullets(self) -> bool:
        """Whether a line looks like an item of a list, with a box or without."""
        return self.form is Form.TEXT and markdown_items.has_list(self.text)

    def refused(self, message: str, *, line: int = 1) -> InvalidRecord:
        """The refusal of a file that has another format."""
        return InvalidRecord(message, file=self.name, line=line, hint=self._hint)

    def line_of(self, *path: str | int) -> int:
        """The line of a value in a JSON text, by the keys that lead to it; 1 where none is."""
        start, _ = self._places.get(path, (0, 0))
        return self.text.count("\n", 0, start) + 1

    @cached_property
    def _places(self) -> dict[json_places.Path, tuple[int, int]]:
        """Where the values of a JSON text stand; nothing of YAML."""
        try:
            json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return json_places.places(self.text)

    def _is_one_task(self) -> bool:
        """Whether the body is one line of JSON lines, and no graph."""
        if "\n" in self.body.strip():
            return False
        try:
            fields = as_mapping(strict_json.load(self.name, self.body)) or {}
        except InvalidRecord:
            return False
        return not fields.keys() & _GRAPH_KEYS and (
            "id" in fields or not any(isinstance(value, list | dict) for value in fields.values())
        )

    def _parsed(self, text: str) -> object:
        # Each format asks anew, and to say what is wrong takes longer than to read.
        if refused := self._refused.get(text):
            raise refused
        try:
            return self._parse(text)
        except InvalidRecord as error:
            self._refused[text] = error.at(self.name)
            raise self._refused[text] from error
        except (ValueError, RecursionError) as error:
            said = f"this is not valid YAML: {error}"
            self._refused[text] = InvalidRecord(said, file=self.name)
            raise self._refused[text] from error


def _may_be_yaml(text: str) -> bool:
    """Whether a line begins with a root key that we know, or the text is one JSON object."""
    lines = [line for line in text.split("\n") if line.strip()]
    if lines and lines[0].startswith("{"):
        ends = lines[0].rstrip().endswith("}")
        return not (ends and any(line.startswith("{") for line in lines[1:]))  # else JSON lines
    return any(line.startswith(("nodes:", "tasks:")) for line in lines)


def _list_entries(name: str, text: str) -> list[tuple[int, object]]:
    """The entries of a JSON list; with their lines, where each begins one of its own."""
    value = strict_json.load(name, text)
    items = value if isinstance(value, list) else []
    starts = [found.start() for found in re.finditer(r"^ {0,2}[\[,]?\{", text, re.MULTILINE)]
    lines = [text.count("\n", 0, start) + 1 for start in starts]
    return list(zip(lines if len(lines) == len(items) else [1] * len(items), items, strict=True))
