"""The fast reader and the exact one read the same, and both read back what is written."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
import slow
from bench import graphs
from hypothesis import example, given, settings
from hypothesis import strategies as st
from laws import generate

from ralphgit.errors import InvalidRecord
from ralphgit.model import characters
from ralphgit.records import graph_file, task_blocks, yaml_nodes, yaml_reader, yaml_writer

SEED = 20261121


def prop(examples: int) -> settings:
    return settings(slow.examples(examples), derandomize=True, database=None)


def typed(value: object) -> object:
    """`value` in a form in which 1, 1.0, True and "1" differ, and nan is itself."""
    if isinstance(value, dict):
        return {key: typed(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [typed(child) for child in value]
    return (type(value).__name__, repr(value))


def fast(text: str) -> object:
    return typed(yaml_reader.load(text))


def exact(text: str) -> object:
    return typed(yaml_nodes.value(yaml_nodes.compose(text)))


# -- graphs ------------------------------------------------------------------------------


@pytest.mark.slow
@prop(100)
@given(generate.graphs())
def test_graph(written: generate.Written) -> None:
    assert fast(written.text) == exact(written.text)


@pytest.mark.slow
@pytest.mark.parametrize("odd", [False, True])
def test_larger_graphs(odd: bool) -> None:
    for number in range(60):
        rng = random.Random(f"{SEED}:{odd}:{number}")
        text = generate.graph(rng, most=12, odd=odd).text
        assert fast(text) == exact(text), f"seed {SEED}:{odd}:{number}"


# -- read in pieces ----------------------------------------------------------------------

#: What makes a line look like a task's first to who knows only indentation, or the reverse.
_PIECES = (
    "  - id: x\n", "- id: y\n", "    - z\n", "  -\n", " - w\n", "tasks:\n", "more: 1\n", " k: v\n",
    '"', "'", "|", ">-", "|+", "[", "]", "{", "}", ",", ":", "#", "- ", "? ", "  ", "\n",
    "\n\n", "\t", "    a: |\n", "      text\n", "  # c\n", "# d\n", '    q: "open\n',
    "    f: [1,\n", "&a ", "*a", "<<: x", "\ufeff", "version: 1\n", "  - - n\n", "-x: 1\n", "\r",
)  # fmt: skip


def same_in_pieces(text: str) -> None:
    """The fast look gives the same value, or none, whether or not it knows the pieces."""
    layout = task_blocks.find(text)
    pieces = graph_file.parts(text, layout.blocks if layout else ())
    whole, joined = yaml_reader.quick(text), yaml_reader.quick(text, pieces)
    assert (joined is yaml_reader.REFUSED) == (whole is yaml_reader.REFUSED)
    assert whole is yaml_reader.REFUSED or typed(joined) == typed(whole)


@pytest.mark.slow
@pytest.mark.parametrize("odd", [False, True])
def test_what_the_pieces_say_is_what_the_whole_says(odd: bool) -> None:
    for number in range(60):
        rng = random.Random(f"{SEED}:{odd}:{number}")
        text = generate.graph(rng, most=12, odd=odd).text
        same_in_pieces(text)
        for _ in range(40):
            at, gone = rng.randrange(len(text) + 1), rng.choice((0, 0, 1, 5, 30))
            lines = [m.end() for m in re.finditer("\n", text)]
            at = rng.choice(lines) if lines and rng.random() < 0.6 else at
            same_in_pieces(text[:at] + rng.choice(_PIECES) + text[at + gone :])


def test_pieces_of_a_long_graph() -> None:
    text = graphs.files(250)["task-graph.yaml"]
    for what in ("", 'note: "open', "more: 1\n", "- x\n", "  - x\n", "   x\n", "\ttab\n", "]\n"):
        same_in_pieces(text + what)
        place = text.index("  - id: T-0004-03")
        same_in_pieces(text[:place] + what + text[place:])


# -- scalars as people write them --------------------------------------------------------

_SCALARS = (
    "~ null Null NULL nUll true True TRUE yes No on off y n .nan .NaN .inf -.INF +.inf "
    "0 -0 +1 007 08 0o17 0O17 017 0x1F 0xfg 0X1f -0x1F 0b101 0b2 1_000 1_ _1 1__0 0_1 0x_1 "
    "1. .5 -.5 +.5 . 1.5 1.50 01.5 1e3 1E3 1e+3 1e-3 1.e3 1.0e3 .5e1 e3 1e 1e400 -1e400 1e-400 "
    "12:30 1:30:00 12:30.5 2026-11-21 2026-11-21T10:00:00Z 1-2 1+2 1/2 1,5 = "
    "9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 "
    "-9223372036854775808 -9223372036854775809 99999999999999999999999999999999999999999 "
    "0xFFFFFFFFFFFFFFFF 0xFFFFFFFFFFFFFFFFF infinity nan inf NaN -inf 1.2.3 v1 1a a1 "
    "12e4567 3f2a9c1d5e60 123456789012 12345678e901 0e0 00 -00 +0 0.0 -0.0 1_0.5 1.5_0 ١٢"
)
_LARGE = [
    spell(sign * (2**bits + offset))
    for spell in (str, hex, oct, bin)
    for sign in (1, -1)
    for bits in (63, 64, 127, 128, 1000, 1100)
    for offset in (-1, 0, 1)
]


@pytest.mark.parametrize("scalar", [*_SCALARS.split(), *_LARGE], ids=lambda scalar: scalar[:24])
def test_plain_scalar(scalar: str) -> None:
    assert fast(f"k: {scalar}\n") == exact(f"k: {scalar}\n")


@prop(400)
@given(st.text("0123456789+-._eExXoObBnNaAiIfFtruls:~ ", min_size=1, max_size=12))
def test_number_like_scalar(scalar: str) -> None:
    """Both readers see the same, or both see no YAML."""
    text = f"k: {scalar}\n"
    try:
        expected = exact(text)
    except InvalidRecord:
        with pytest.raises(InvalidRecord):
            yaml_reader.load(text)
    else:
        assert fast(text) == expected


# -- what we write -----------------------------------------------------------------------

# fmt: off
ODD = (
    "", " ", "a ", " a", "a: b", "a:", ":a", "a #b", "#a", "- a", "-", "--- a", "---", "...",
    "...a", "? a", "'", '"', "it's", 'a "b"', "[a]", "{a: b}", "a, b", "&a", "*a", "!a", "|",
    ">", "%a", "@a", "`a`", "\\", "a\\nb", "yes", "No", "null", "~", "true", "1", "-1", "1.0",
    "1e3", "0x1F", "0o7", "1_0", "12:30", "2026-11-21", ".inf", ".nan", "=", "<<", "\t", "a\tb",
    "\ta", "a\t", "\n", "\n\n", "a\n", "a\nb", "a\n\nb\n", "a\n\n\n", "\na", " a\nb", "a \nb",
    "a\n b", "a\n\tb", "a\n# b\n", "a\n- b: c\n", "a\r\nb", "\u2028", "a\u2029b\n", "\ufeff",
    "a\ufeffb", "é", "e\u0301", "日本", "🚀", "\U0010fffd", "\ue000", "a" * 300,
    "word " * 60, "<<<<<<< ours\n=======\n>>>>>>> theirs\n", "a\n<<<<<<< b\n", "a\n---\nb\n",
    "status: x\n",
)
# fmt: on
TEXT = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(characters.without),
    st.text(" \n\t#:-'\"a1", max_size=12),
)
KEY = TEXT.filter(lambda text: len(text) < 80)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    TEXT,
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEY, inner, max_size=4)),
    max_leaves=12,
)


def reads_back(value: dict[str, Any], text: str) -> None:
    assert fast(text) == typed(value)
    assert exact(text) == typed(value)


@pytest.mark.slow
@prop(300)
@given(st.dictionaries(KEY, VALUE, min_size=1, max_size=3))
def test_what_is_written_reads_back(value: dict[str, Any]) -> None:
    reads_back(value, yaml_writer.mapping(value))


@pytest.mark.slow
@prop(150)
@given(st.lists(VALUE, min_size=1, max_size=3), st.integers(0, 4), st.sampled_from(["\n", "\r\n"]))
@example([{"a": ["x\ny\n", "z\n\n"], "b": "x\n\n"}], 2, "\r\n")
def test_a_sequence_in_its_place_reads_back(value: list[Any], indent: int, eol: str) -> None:
    text = f"list:{eol}{yaml_writer.sequence(value, indent=indent, eol=eol)}after: 1{eol}"
    reads_back({"list": value, "after": 1}, text)


@pytest.mark.parametrize("text", ODD)
def test_odd_text_reads_back(text: str) -> None:
    value = {"k": text, "list": [text, [text], {"a": text}], "after": 1}
    reads_back(value, yaml_writer.mapping(value))
    if len(text) < 80:
        reads_back({text: {text: 1}}, yaml_writer.mapping({text: {text: 1}}))
    reads_back({"k": text}, f"k: {yaml_writer.scalar(text)}\n")
    reads_back({"k": [text]}, f"k: [{yaml_writer.scalar(text)}]\n")


def test_a_row_of_digits_that_is_no_number_is_read_in_time() -> None:
    """Of such a row each shorter one was tried, and each of that: it took for ever."""
    row = f"{'9' * 100_000}claimed"
    assert yaml_nodes.value(yaml_nodes.compose(f"a: {row}\nb: {'9' * 400}\n")) == {
        "a": row, "b": "9" * 400,
    }  # fmt: skip
