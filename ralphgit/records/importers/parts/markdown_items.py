"""Parse Markdown into headings, list items and what stands in them, without their meaning.

markdown-it-py finds the blocks, so what looks like a list item in a code block, a comment or a
quotation is none. Text is kept as it is written, emphasis and all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from ralphgit.errors import InvalidRecord

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

#: Two levels for each list in a list; what is deeper, the parser would leave out silently.
_DEEPEST = 80
#: Items that are taken out of the words before them may have such in their own words again.
_MOST_DEPTHS = 20
#: What a box may say.
PENDING, DONE, UNDER_WAY, OPTIONAL, DEFERRED, CANCELLED = MEANINGS = (
    "pending", "done", "under way", "optional", "deferred", "cancelled",
)  # fmt: skip
_MARK = r"^[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]*"
_LIKE_A_BOX = r"\[[^\[\]]{0,2}\](?!\()"
_LIKE_AN_ITEM = re.compile(rf"^[ \t>]*(?:[-*+]|[0-9]{{1,9}}[.)])[ \t]*{_LIKE_A_BOX}", re.MULTILINE)


#: A line that begins or ends a block of parallel items, as a heading or an item, or alone.
_MARK_OF_BLOCK = re.compile(
    r"^([ \t]*)(?:#{1,6}[ \t]+|[-*+][ \t]+(?:\[ \][ \t]+)?)?[*_`]*"
    r"(\[PARALLEL\b[^\]\n]*\]|\[/PARALLEL\])[*_`:]*[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)

#: The same right behind words: `2. [ ] words`, which Markdown takes for text, and any other.
_LATER = re.compile(rf"^([ \t]*)([0-9]{{1,9}})(?=[.)][ \t]+{_LIKE_A_BOX})")
_IN_WORDS = re.compile(rf"{_MARK}{_LIKE_A_BOX}")


#: Boxes that are one sign each, in an item or at the beginning of a line. Ticks without a box are
#: such only beside boxes: they stand before features, too.
OPEN_SIGNS = "\u2610\u2b1c\u25fb\u25a1\U0001f532"
BALLOT = "\u2611"
DONE_SIGNS = f"{BALLOT}\u2705\u2714\u2713"
SIGN = re.compile(
    rf"^(?P<mark>[ \t]*(?:(?:[-*+]|[0-9]{{1,9}}[.)])[ \t]+)?)"
    rf"(?:(?P<open>[{OPEN_SIGNS}])|(?P<done>[{DONE_SIGNS}]))\ufe0f?(?=[ \t])",
    re.MULTILINE,
)


#: Full-width brackets stand right behind a box, as a sign without a space before it; so do words
#: behind a plain one.
_RIGHT_BEHIND = (
    "(?:(?=[\uff08\u3010\u300c\u300e\u300a\u3008])"
    r"|(?<=\[[ xX\u2713\u2714\u2611]\])(?=[\w`*\"']))"
)

#: `12.7* words`, behind a box.
_STARRED = re.compile(r"([0-9]+(?:\.[0-9]+)*\.?)\*(?=\s)")


class Boxes:
    """The signs that stand in boxes, and what they say.

    A box has one sign at most, no letter or digit but those listed; behind it, or behind the number
    that follows, a `*` may stand: the item is optional.
    """

    def __init__(self, more: Sequence[tuple[str, str]] = ()) -> None:
        """`more`: pairs of a sign and one of MEANINGS, which come before the usual ones."""
        self.meanings = {
            "": PENDING, **dict.fromkeys("xX\u2713\u2714\u2611", DONE),
            **dict.fromkeys("-/", UNDER_WAY), **dict.fromkeys("~>", DEFERRED), **dict(more),
        }  # fmt: skip
        signs = "".join(map(re.escape, filter(None, self.meanings)))
        inside = rf"\[[ \t]*([{signs}]|[^\w\s\[\]]?)[ \t]*\](\*?)"
        self.box = re.compile(inside + rf"(?:\s+|\Z|{_RIGHT_BEHIND})")
        self.item = re.compile(rf"{_MARK}{inside}(?:[ \t]|$|{_RIGHT_BEHIND})", re.MULTILINE)
        #: `-[ ] words`, which Markdown takes for text.
        self.tight = re.compile(rf"^([ \t]*(?:[-*+]|[0-9]{{1,9}}[.)]))(?={inside}[ \t])")


#: Without any that a setting adds.
USUAL = Boxes()


class Node(NamedTuple):
    """A heading, a list item, or another block."""

    kind: str
    """heading, item, fence, comment (HTML, that is) or text."""
    line: int
    """From 1."""
    column: int
    """Where its text begins, from 1."""
    text: str
    """A heading's or item's own words on one line; a fence's or comment's content."""
    raw: str
    """The source of the whole, without the item's mark and indentation."""
    level: int = 0
    """A heading's."""
    ticked: bool | None = None
    """Of an item with a box."""
    box: str = ""
    """What its box says beyond that, of MEANINGS; the sign itself, where `Boxes` has no meaning."""
    optional: bool = False
    bare: bool = False
    """It has no box, and was taken for an item that is not ticked."""
    numbered: bool = False
    """An item of a numbered list."""
    language: str = ""
    """A fence's."""
    nodes: tuple[Node, ...] = ()
    """What stands in an item behind its first paragraph."""


#: A box inside of what is bold: `- **[ ] words**: more`, `- **[x]** words`.
_BOLD_BOX = re.compile(
    rf"({_MARK}(?<=[ \t]))(\*{{1,3}}|_{{1,3}})(\[(?:[^\w\[\]]|[xX])?\])"
    r"(?:\2[ \t]+|([ \t]+)(?=[^\s*_]))",
    re.MULTILINE,
)
#: A line of words that begins with a box, and has no other as a legend does.
_UNMARKED = re.compile(r"[ \t]*(?:\*{1,3}|_{1,3})?\[[ xX]\][*_]{0,3}[ \t]+[^\s=\[][^\[]*")


def _spelled_out(text: str) -> str:
    """The text with boxes in place of signs that stand for one, and those before what is bold."""
    text = _BOLD_BOX.sub(lambda one: f"{one[1]}{one[3]} {one[2] if one[4] else ''}", text)
    if not any(one["open"] or one["done"] == BALLOT for one in SIGN.finditer(text)):
        return text

    def box(found: re.Match[str]) -> str:
        if not found["open"] and found["done"] != BALLOT and not found["mark"].strip():
            return found[0]
        mark = found["mark"] if found["mark"].strip() else f"{found['mark']}- "
        return f"{mark}[{'x' if found['done'] else ' '}]"

    return SIGN.sub(box, text)


def may_hold_tasks(text: str, boxes: Boxes = USUAL) -> bool:
    """Whether a line looks like a list item with a box."""
    text = _spelled_out(text)
    return boxes.item.search(text) is not None


def has_list(text: str) -> bool:
    """Whether a line looks like a list item, with or without a box."""
    return re.search(r"^[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]+\S", text, re.MULTILINE) is not None


def looks_like_box(words: str) -> bool:
    """Whether an item begins with what looks like a box, of any sign."""
    return re.match(_LIKE_A_BOX, words) is not None


def unmarked(nodes: Sequence[Node]) -> list[int]:
    """The lines, from 1, that begin with a box outside of any item."""
    return [
        number
        for node in nodes
        if node.kind == "text"
        for number, line in enumerate(node.raw.split("\n"), node.line)
        if _UNMARKED.fullmatch(line)
    ]


def lines_like_items(text: str) -> list[int]:
    """The lines, from 1, that look like items with a box, wherever they stand."""
    text = _spelled_out(text)
    return [text.count("\n", 0, one.start()) + 1 for one in _LIKE_AN_ITEM.finditer(text)]


def read(name: str, text: str, boxes: Boxes = USUAL) -> tuple[Node, ...]:
    """The blocks of `text` in its order; those of quotations are left out.

    Raises: InvalidRecord for lists nested too deep.
    """
    text = _spelled_out(text)
    tokens = _tokens(text)
    for _ in range(_MOST_DEPTHS):
        if (plainer := _plainer(text, tokens, boxes)) == text:
            break
        text, tokens = plainer, _tokens(plainer)
    for token in tokens:
        if token.level >= _DEEPEST - 2:
            message = "lists are nested too deep here"
            hint = f"at most {_DEEPEST // 2 - 1} lists may stand in each other"
            raise InvalidRecord(message, file=name, line=_first(token) + 1, hint=hint)
    # As the parser counts lines.
    lines = re.split(r"\r\n?|\n", text)
    nodes, _ = _blocks(tokens, 0, "", [line.expandtabs(4) for line in lines], boxes)
    return nodes


def _tokens(text: str) -> list[Token]:
    """What Markdown finds; a comment ends the item before it, as a block's mark does."""
    return _parser().parse(_MARK_OF_BLOCK.sub(r"\1<!-- \2 -->", text))


def _plainer(text: str, tokens: list[Token], boxes: Boxes) -> str:
    """The text with items that Markdown would not see, outside of code, as it sees them.

    Only a list that begins with 1 follows words without an empty line, and only one that is
    indented as far as these or hardly more.
    """
    verbatim = {
        line
        for token in tokens
        if token.map and token.type in ("fence", "code_block", "html_block")
        for line in range(*token.map)
    }

    def as_first(found: re.Match[str]) -> str:
        return found[1] + "1".zfill(len(found[2]))

    lines = text.split("\n")
    moved = 0  # behind it, lines are not where the tokens say
    for words in _inside_words(text, tokens):
        around = list(words.around)
        for number in words.lines if words.lines.start > moved else ():
            line = lines[number]
            if number in verbatim or not _IN_WORDS.match(line):
                continue
            spaced = _LATER.sub(as_first, boxes.tight.sub(r"\1 ", line)).expandtabs(4)
            own = len(spaced) - len(spaced.lstrip())
            # In the last of those around it whose mark is plainly further left.
            around = [one for one in around if one.mark + 1 < own]
            column = around[-1].words if around else 0
            lines[number] = " " * column + spaced.lstrip()
            moved = max(moved, _move(lines, number + 1, own, own - column))
            mark = re.match(_MARK, lines[number])
            around.append(_Columns(column, mark.end() if mark else column))
    for number, line in enumerate(lines):
        if number not in verbatim and "[" in line:
            lines[number] = boxes.tight.sub(r"\1 ", line)
    return "\n".join(lines)


def _move(lines: list[str], start: int, column: int, by: int) -> int:
    """Move the lines from `start` on that begin at `column` or behind it; return where they end."""
    if by == 0:
        return start
    at = start
    while at < len(lines):
        line = lines[at].expandtabs(4)
        if line.strip() and len(line) - len(line.lstrip()) < column:
            break
        lines[at] = (line[by:] if by > 0 else " " * -by + line) if line.strip() else line
        at += 1
    return at


class _Columns(NamedTuple):
    """Where an item begins."""

    mark: int
    words: int


class _Words(NamedTuple):
    """Words that go on over several lines."""

    lines: range
    """Those behind the first, from 0."""
    around: tuple[_Columns, ...]
    """The items that they stand in, the outermost first."""


def _inside_words(text: str, tokens: list[Token]) -> list[_Words]:
    lines = text.split("\n")
    around: list[_Columns] = []
    found: list[_Words] = []
    quoted = 0
    for token in tokens:
        if token.type == "list_item_open":
            first = lines[_first(token)] if _first(token) < len(lines) else ""
            first = first.expandtabs(4)
            mark = re.match(_MARK, first)
            own = _Columns(len(first) - len(first.lstrip()), mark.end() if mark else 0)
            around.append(own if mark or not around else around[-1])
        elif token.type == "list_item_close":
            around.pop()
        elif token.type.startswith("blockquote"):
            quoted += token.nesting
        elif token.type == "paragraph_open" and token.map and not quoted:
            found.append(_Words(range(token.map[0] + 1, token.map[1]), tuple(around)))
    return found


def code_spans(text: str) -> tuple[str, ...]:
    """What stands between backticks in a paragraph."""
    return tuple(token.content for token in _inline(text) if token.type == "code_inline")


def only_code(text: str) -> str | None:
    """The code of a paragraph that is one code span and nothing else."""
    tokens = [token for token in _inline(text) if token.type != "text" or token.content.strip()]
    return tokens[0].content if len(tokens) == 1 and tokens[0].type == "code_inline" else None


def _inline(text: str) -> list[Token]:
    # A long run of unmatched signs takes the parser a long time; no command is that long.
    if "`" not in text or len(text) > 10_000:
        return []
    (block,) = _inline_parser().parseInline(text)
    return block.children or []


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"maxNesting": _DEEPEST})
    # The words of a paragraph stay as they are, also those that could define a link.
    made.core.ruler.enableOnly(["normalize", "block"])
    return made.disable("reference")


@cache
def _inline_parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("zero")
    return made.enable(["backticks", "escape"])


def _first(token: Token) -> int:
    return token.map[0] if token.map else 0


def _blocks(
    tokens: list[Token], at: int, end: str, lines: list[str], boxes: Boxes
) -> tuple[tuple[Node, ...], int]:
    """The nodes from `tokens[at]` up to the token `end`, and the place behind it."""
    found: list[Node] = []
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token.type == end:
            break
        if token.type in ("bullet_list_open", "ordered_list_open"):
            numbered = token.type == "ordered_list_open"
            while tokens[at].type == "list_item_open":
                node, at = _item(tokens, at, lines, boxes, numbered=numbered)
                found.append(node)
            at += 1
        elif token.type == "blockquote_open":
            at = _behind(tokens, at, token)
        elif token.type == "heading_open":
            words = " ".join(tokens[at].content.split())
            found.append(_node("heading", token, lines, words, level=int(token.tag[1:])))
            at = _behind(tokens, at, token)
        elif token.type == "paragraph_open":
            found.append(_node("text", token, lines, tokens[at].content))
            at = _behind(tokens, at, token)
        elif token.type == "fence":
            language = token.info.strip().split(" ")[0].casefold()
            found.append(_node("fence", token, lines, token.content, language=language))
        elif token.type == "html_block":
            found.append(_node("comment", token, lines, token.content))
        else:
            found.append(_node("text", token, lines, token.content))
    return tuple(found), at


def _behind(tokens: list[Token], at: int, opening: Token) -> int:
    """The place behind the token that closes `opening`."""
    while tokens[at].level > opening.level or tokens[at].nesting != -1:
        at += 1
    return at + 1


def _item(
    tokens: list[Token], at: int, lines: list[str], boxes: Boxes, *, numbered: bool
) -> tuple[Node, int]:
    token = tokens[at]
    start, stop = token.map or (0, 0)
    nodes, at = _blocks(tokens, at + 1, "list_item_close", lines, boxes)
    words = ""
    if nodes and nodes[0].kind == "text":
        # Spaces in a line may be part of a format that it names.
        words, nodes = " ".join(map(str.strip, nodes[0].text.splitlines())).strip(), nodes[1:]
    box = boxes.box.match(words)
    first = lines[start] if start < len(lines) else ""
    mark = re.match(r"[ \t]*(?:[-*+]|[0-9]{1,9}[.)])[ \t]*", first)
    # In `- - a` the marks of both stand on the line: the last one is the inner item's.
    column = first.find(words[:1], mark.end()) if mark and words else -1
    column = max(column, mark.end() if mark else 0)
    raw = "\n".join([first[column:], *(_out(line, column) for line in lines[start + 1 : stop])])
    node = Node("item", start + 1, column + 1, words, raw.rstrip(), numbered=numbered, nodes=nodes)
    if box is not None:
        says = boxes.meanings.get(box[1], box[1])
        starred = _STARRED.match(words, box.end())
        node = node._replace(
            text=f"{starred[1]}{words[starred.end() :]}" if starred else words[box.end() :],
            ticked=says == DONE,
            box="" if says in (DONE, PENDING, OPTIONAL) else says,
            optional=bool(box[2] or starred) or says == OPTIONAL,
        )  # fmt: skip
    return node, at


def _out(line: str, column: int) -> str:
    """`line` without the first `column` places, as far as they are empty."""
    return line[min(column, len(line) - len(line.lstrip(" "))) :]


def _node(
    kind: str, token: Token, lines: list[str], text: str, *, level: int = 0, language: str = ""
) -> Node:
    start, stop = token.map or (0, 0)
    own = lines[start:stop]
    column = min((len(line) - len(line.lstrip(" ")) for line in own if line.strip()), default=0)
    raw = "\n".join(_out(line, column) for line in own).rstrip()
    return Node(kind, start + 1, column + 1, text, raw, level=level, language=language)
