"""Parse YAML slowly and exactly: every node and token with its position.

ruamel.yaml reads some 200 KB a second this way, so it is asked only about one task's block,
or about a file that the fast reader refused. Nothing here constructs objects, and an alias
is refused at its token, before it could expand.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

from ruamel.yaml import YAML, tokens
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from ralphgit.errors import InvalidRecord
from ralphgit.records import input_limits as texts


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 2)
    return yaml


def compose(text: str) -> Node:
    """The node tree of `text`; marks count characters from 0.

    Raises: InvalidRecord for anything that is not plain YAML.
    """
    if _may_be_refused(text):
        refuse_indicators(text)
    try:
        node: Node | None = _yaml().compose(text)
    except YAMLError as error:
        refuse_indicators(text)  # of two mistakes, the first that the tokens show
        _translate(error, text)
    except (RecursionError, ValueError, OverflowError):
        refuse_indicators(text)
        raise
    if node is None:
        raise InvalidRecord("the file is empty", hint="a graph begins with: version: 1")
    if "\\ud" in text or "\\uD" in text:
        _pair_halves(node)
    _refuse_duplicates(text, node)
    return node


def _may_be_refused(text: str) -> bool:
    """Whether `refuse_indicators` could find something before `compose` does.

    The tokens are all read a second time there, which is half of the work.
    """
    brackets = text.count("[") + text.count("{")
    may_hold = texts.may_hold_indicators(text) or texts.may_escape(text)
    return may_hold or "<<" in text or brackets > texts.MAX_DEPTH


def _pair_halves(root: Node) -> None:
    """Have each scalar that a JSON writer escaped hold whole characters."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, ScalarNode):
            node.value = texts.paired(node.value)
        elif isinstance(node, SequenceNode):
            stack.extend(node.value)
        elif isinstance(node, MappingNode):
            stack.extend(one for pair in node.value for one in pair)


_OPENING = (
    tokens.BlockMappingStartToken, tokens.BlockSequenceStartToken,
    tokens.FlowMappingStartToken, tokens.FlowSequenceStartToken,
)  # fmt: skip
_CLOSING = (tokens.BlockEndToken, tokens.FlowMappingEndToken, tokens.FlowSequenceEndToken)


#: More brackets than may be open at once; in quotes they are text.
_ROW = re.compile(rf"[\[{{](?:\s*[\[{{]){{{texts.MAX_DEPTH}}}")


def refuse_indicators(text: str) -> None:
    """Raises: InvalidRecord at the first anchor, alias, tag or merge key in `text`.

    Also where it nests too deep: ruamel.yaml takes 3 s for 2,000 brackets and then recurses.
    """
    row = _ROW.search(text)
    if row is not None:
        # At each bracket it looks ahead over all that follow; so at first those after the row
        # are left out. What is not closed for that reason is no mistake.
        try:
            _refuse_indicators(text[: row.end()])
        except InvalidRecord as error:
            if error.code != "syntax":
                raise
    _refuse_indicators(text)


def _refuse_indicators(text: str) -> None:
    level, previous = 0, None
    try:
        for token in _yaml().scan(text):
            last, previous = previous, token
            if isinstance(token, tokens.AnchorToken):
                what, code, hint = f"anchor &{token.value}", "anchor", "write the value out"
            elif isinstance(token, tokens.AliasToken):
                what, code, hint = f"alias *{token.value}", "alias", "write the value out"
            elif isinstance(token, tokens.TagToken):
                what, code, hint = "a tag (!)", "tag", "remove it, or quote the text"
            elif isinstance(token, tokens.ScalarToken) and token.plain and token.value == "<<":
                if not isinstance(last, tokens.KeyToken):
                    continue
                what, code, hint = "merge key <<", "merge_key", "write the keys out"
            else:
                level += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
                if level > texts.MAX_DEPTH:
                    raise _too_deep(text, token.start_mark.index)
                if isinstance(token, tokens.ScalarToken) and not token.plain:
                    begin, end = token.start_mark.index, token.end_mark.index
                    texts.refuse_decoded(texts.paired(token.value), text, begin, end)
                continue
            raise texts.refuse(
                text, token.start_mark.index, f"{what} is not allowed", hint=hint, code=code
            )
    except YAMLError as error:
        _translate(error, text)
    except (ValueError, OverflowError):  # of chr(), which ruamel.yaml hands the number to
        after = previous.end_mark.index if previous is not None else 0
        index = max(text.find("\\U", after), 0)
        message = "not YAML: an escape of a character that there is not"
        raise texts.refuse(text, index, message, code="syntax", hint=_BEYOND) from None


def _too_deep(text: str, index: int) -> InvalidRecord:
    message = f"nested more than {texts.MAX_DEPTH} deep"
    return texts.refuse(text, index, message, code="too_deep", hint="flatten the structure")


def _translate(error: YAMLError, text: str) -> NoReturn:
    if isinstance(error, MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        message = " ".join(str(part) for part in (error.problem, error.context) if part)
        if mark is not None:
            index = min(mark.index, len(text))
            raise texts.refuse(
                text, index, f"not YAML: {message}", code="syntax", hint=_SYNTAX
            ) from None
    raise InvalidRecord(
        f"not YAML: {str(error).splitlines()[0]}", code="syntax", hint=_SYNTAX
    ) from None


_BEYOND = "the last character is \\U0010FFFF"
_SYNTAX = "look at the indentation; text with a sign like : # [ { @ ` in it may need quotes"


def _refuse_duplicates(text: str, root: Node) -> None:
    stack = [(root, 1)]
    while stack:
        node, level = stack.pop()
        if level > texts.MAX_DEPTH and not isinstance(node, ScalarNode):
            raise _too_deep(text, node.start_mark.index)
        if isinstance(node, MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = key.value if isinstance(key, ScalarNode) else None
                if name is None:
                    raise texts.refuse(
                        text, key.start_mark.index, "a key that is not text", code="syntax",
                        hint="write the key as text",
                    )  # fmt: skip
                if name in seen:
                    raise texts.refuse(
                        text, key.start_mark.index, f"duplicate key {name!r}",
                        code="duplicate_key", hint="keep one of the two lines",
                    )  # fmt: skip
                seen.add(name)
                stack.append((value, level + 1))
        elif isinstance(node, SequenceNode):
            stack.extend((child, level + 1) for child in node.value)


def entries(node: Node) -> dict[str, tuple[Node, Node]]:
    """A mapping node's key and value nodes by key; {} for any other node."""
    if not isinstance(node, MappingNode):
        return {}
    return {key.value: (key, value) for key, value in node.value}


def at_path(root: Node, path: tuple[str | int, ...]) -> Node:
    """The node at `path`, or the deepest one on the way that exists."""
    node = root
    for step in path:
        if isinstance(step, int) and isinstance(node, SequenceNode) and step < len(node.value):
            node = node.value[step]
        elif isinstance(step, str) and step in (known := entries(node)):
            node = known[step][1]
        else:
            break
    return node


def value(node: Node) -> Any:
    """The node as Python values, just as the fast reader (`records.yaml_reader`) reads them.

    An integer that the fast reader refuses, as it fits no 64 bits, stays text as written.
    """
    if isinstance(node, MappingNode):
        return {key.value: value(child) for key, child in node.value}
    if isinstance(node, SequenceNode):
        return [value(child) for child in node.value]
    written: str = node.value
    plain = isinstance(node, ScalarNode) and node.style is None
    return written if not plain else _CONSTANTS.get(written, _number(written))


_CONSTANTS: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+|0|[1-9][0-9]*)")
_PADDED = re.compile(r"[-+]?0[0-9]+")
#: Possessive: of digits that are followed by something else no shorter row is tried.
_FLOAT = re.compile(r"[-+]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?")


def _number(written: str) -> object:
    """The number that a plain scalar means, or its text if it means none.

    Whole numbers of 128 bits are refused by the fast reader, larger ones are floats to it.
    """
    if len(written) < 140 and _INTEGER.fullmatch(written):
        number = int(written, 0)
        if -(2**63) <= number < 2**64:
            return number
        if -(2**127) <= number < 2**128:
            return written
    if _FLOAT.fullmatch(written) and not _PADDED.fullmatch(written):
        approximate = float(written)
        return approximate if approximate - approximate == 0 else written
    return written


def written(node: Node) -> Any:
    """The node as Python values with every scalar as the text that was written."""
    if isinstance(node, MappingNode):
        return {key.value: written(child) for key, child in node.value}
    if isinstance(node, SequenceNode):
        return [written(child) for child in node.value]
    return node.value
