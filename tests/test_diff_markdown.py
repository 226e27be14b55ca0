"""The Markdown of a diff: what the records say is shown, and nothing of it acts or overflows."""

from __future__ import annotations

import itertools
import re
from types import SimpleNamespace
from typing import Any

import pytest
import slow
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ralphgit.app.diff import markdown
from ralphgit.app.diff.record_diff import Diff
from ralphgit.app.diff.revisions_compared import Range, Side
from ralphgit.app.diff.task_change import CONCERN, PROBLEM, ChangeNote, Written, change
from ralphgit.app.rendering.safe_markdown import one_line
from ralphgit.app.workspace.graph_view import GraphView, stored
from ralphgit.app.workspace.record_tree import Tree
from ralphgit.model import characters
from ralphgit.model.handoff import Answer, Guidance
from ralphgit.model.review import Finding, Review
from ralphgit.records import graph_file, task_mapping, yaml_writer

PROJECT: Any = SimpleNamespace(around=SimpleNamespace(environ={}))
GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
PIECES = (
    "</details>", "<script>alert(1)</script>", "```", "~~~", "|", "||", "@ann", "#12", "GH-7",
    "fixes #3", "[l](http://e.example)", "![i](x)", "[x]: http://e.example", "-->", "<!--", "`",
    "\\", "\\|", "*", "**", "_", "~~", "\n", "\n\n", "\r\n", "\t", " ", "\u202e", "\u2028", "&lt;",
    "&#64;ann", "&#8288;", ":smile:", "www.e.example", "http://e.example", "a@e.example", "/close",
    "- [ ] x", "# h", "---", "1. x", "!7", "$5", "%3", "~bug", "^", "end", '"]', "%%{init:{}}%%",
    "a", "word", "0",
)  # fmt: skip
TEXT = st.one_of(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(characters.without),
).filter(lambda text: bool(text.strip()))
ALLOWED = re.compile(
    r"<!-- ralphgit-diff -->|<details><summary><code>T-\d+</code> in detail</summary>|</details>"
)


def made(texts: list[str], count: int = 2) -> Diff:
    """A diff in which every text of a record is one of `texts`."""
    at = itertools.cycle(texts)

    def text() -> str:
        return next(at)

    plan = {
        "version": 1,
        "tasks": [
            {
                "id": f"T-{number}",
                "title": f"t {text()}",
                "status": "blocked",
                "claim": {"id": f"c{number}", "by": "alpha", "at": "t", "base": "b"},
                "blocked": {"id": f"b{number}", "claim": f"c{number}", "reason": "other",
                            "question": text(), "options": [f"o {text()}"], "at": "t"},
                "acceptance": [{"id": "ACC-1", "text": f"a {text()}"}],
                **({"depends_on": ["T-0"]} if number else {}),
            }
            for number in range(count)
        ],
    }  # fmt: skip
    file = graph_file.parse(yaml_writer.mapping(plan).encode(), path="task-graph.yaml")
    rows = graph_file.rows(file)
    view = GraphView(rows, [("task-graph.yaml", "0")], lambda shard: b"", "x")
    tree = Tree("", (), (), lambda path: None)
    empty = Side(GraphView([], [], lambda shard: b"", "x"), tree, ())
    changes = []
    for row in rows:
        review = Review(
            f"r{row.id}", row.id, text(), "t", text(), "concerns",
            findings=(Finding("FIND-1", text(), text()),), residual_risk=text(),
        )  # fmt: skip
        asked = Guidance("g1", row.id, "c", text(), (), "t", "b", Answer(text(), text(), "t"))
        changes.append(
            change(
                None,
                task_mapping.task(stored(row)),
                row,
                fields=(text(),),
                written=Written([], [], [asked]),
                assessed=None,
                known_reviews=[review],
                is_new=frozenset({review.id}),
            )
        )
    return Diff(
        Range("0" * 40, "1" * 40, text(), text(), True), empty, Side(view, tree, ()),
        changes=tuple(changes), files=("x",), outside=("x",), moved=0,
        notes=(ChangeNote(PROBLEM, "x", "", text()), ChangeNote(CONCERN, "x", "", text())),
    )  # fmt: skip


def shown(tokens: list[Any]) -> str:
    return "\n".join(
        "".join(part.content for part in token.children if part.type == "text")
        for token in tokens
        if token.type == "inline"
    )


@pytest.mark.slow
@slow.examples(60)
@given(st.lists(TEXT, min_size=1, max_size=7))
@example(
    ["</details> <script> | ``` @ann #12 GH-7 [l](http://e.example) <!-- \\| ![i](x) fixes #3"]
)
@example(["\\"])
@example(["`|`\n\n/close"])
@example(["[l](http://e.example)%%{init:{}}%%a@e.example"])
def test_nothing_of_a_record_acts_and_all_of_it_is_shown(texts: list[str]) -> None:
    found = made(texts)
    text = markdown.comment(PROJECT, found)
    tokens = GFM.parse(text)
    inner = [part for token in tokens for part in token.children or ()]
    types = {token.type for token in (*tokens, *inner)}
    assert not types & {"link_open", "image", "s_open", "code_inline", "code_block", "hr",
                        "heading_open", "ordered_list_open", "blockquote_open"}  # fmt: skip
    acting = [t.content for t in (*tokens, *inner) if t.type in ("html_block", "html_inline")]
    assert ALLOWED.sub("", "".join(acting)).strip() == ""
    # As many tables, cells, fences and lists as there are without them.
    usual = GFM.parse(markdown.comment(PROJECT, made(["word"])))
    assert [t.type for t in tokens] == [t.type for t in usual]
    (fence,) = [token for token in tokens if token.type == "fence"]
    assert fence.info == "mermaid"
    assert not set("<>`&|@\\") & set(re.sub(r" --> |^  %%.*$", "", fence.content))
    # What a forge looks for in the text as it is shown: U+2060 parts each from what it would name.
    said = shown(tokens)
    assert re.search(r"(?i)[@#!$%~&^](?=[^\s\u2060])|\bgh-\d", said) is None
    for row in found.new.view.rows:
        wanted = one_line(row.title).replace("\u2060", "")
        assert f" {wanted}" in said.replace("\u2060", "")
    assert len(text) < 65_536


@pytest.mark.slow
def test_what_does_not_fit_is_cut_with_a_sentence() -> None:
    found = made(["@:|<" * 300], count=600)
    text = markdown.comment(PROJECT, found)
    assert 40_000 < len(text) < 65_536
    assert re.search(r"^\d+ tasks more changed, and are not shown here\.$", text, re.M)
    assert re.search(r"^details of \d+ tasks are left out", text, re.M)
    assert text.count("<details>") == text.count("</details>") > 0
    (fence,) = [token for token in GFM.parse(text) if token.type == "fence"]
    assert len(re.findall(r"^  t_\w+\[", fence.content, re.M)) <= 30
    assert re.search(r"\d+ tasks around it are left out of the picture", text)


def test_secrets_are_not_shown() -> None:
    text = markdown.comment(PROJECT, made(["token=hunter2hunter2 password: |x|y"]))
    assert "hunter2" not in text
    assert "[redacted]" in text.replace("\\", "")
