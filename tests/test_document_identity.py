"""Which task each document of a folder is: `rules/document_identity`, row by row."""

from __future__ import annotations

import pytest

from ralphgit.rules import document_identity
from ralphgit.rules.document_identity import Document
from ralphgit.rules.import_identity import RENUMBERED, REWORDED


def document(number: str, title: str, said: str = "", *, held: bool = False) -> Document:
    """The document NUMBER.md; "3>7": a task that is called 7 in its file, 3.md."""
    file, _, name = number.partition(">")
    return Document(
        file, frozenset({f"{file}.md"}), name or file, title, title, said, held=held
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "now", "same", "doubts"),
    [
        # 1, 2: of two with one title, the descriptions tell them apart.
        (
            [document("1", "Test", "a", held=True), document("2", "Test", "b")],
            [document("2", "Test", "a"), document("3", "Test", "b")],
            {"2": "1", "3": "2"}, {},
        ),
        ([document("1", "Test", "a", held=True)], [document("2", "Test", "a")], {"2": "1"}, {}),
        # 3: a copy is another one.
        (
            [document("1", "Test", "a", held=True)],
            [document("1", "Test", "b"), document("2", "Test", "c")],
            {"1": "1"}, {},
        ),
        ([document("1>7", "Test", held=True)], [document("7", "Test")], {"7": "1"}, {}),
        # 4
        (
            [document("1", "Test", "a", held=True), document("2", "Test", "b")],
            [document("3", "Test", "c"), document("4", "Test", "d")],
            {"3": "1", "4": "2"}, {},
        ),
        (
            [document("1", "Test", "a")],
            [document("3", "Test", "c"), document("4", "Test", "d")],
            {"3": "1"}, {},
        ),
        # 5
        (
            [document("1", "Test", "a", held=True)],
            [document("3", "Test", "c"), document("4", "Test", "d")],
            {}, {"3": "1"},
        ),
        # 6: what is inserted has a number that another task had, too.
        ([document("1", "Cart")], [document("1", "Pay")], {"1": "1"}, {}),
        ([document("1>7", "Cart")], [document("7", "Pay")], {"7": "1"}, {}),
        (
            [document("1", "My cart"), document("2", "Pay")],
            [document("1", "New"), document("2", "The cart"), document("3", "Pay")],
            {"2": "1", "3": "2"}, {},
        ),
        (
            [document("1", "My cart"), document("2", "Pay"), document("3", "Ship")],
            [document("1", "Pay"), document("2", "Our cart"), document("4", "Ship")],
            {"1": "2", "2": "1", "4": "3"}, {},
        ),
        # 7
        (
            [document("1", "Cart", held=True)], [document("1", "Cart (done 2026-01-02)")],
            {"1": "1"}, {},
        ),
        # 8
        ([document("1", "Cart", held=True)], [document("1", "Pay")], {}, {"1": "1"}),
        # 9: one with a new number is none that is gone.
        ([document("1", "My cart", held=True)], [document("2", "Our cart")], {}, {}),
    ],
)  # fmt: skip
def test_what_each_document_is(
    before: list[Document], now: list[Document], same: dict[str, str], doubts: dict[str, str]
) -> None:
    found = document_identity.decide(now, before)
    assert (found.same, found.doubts) == (same, doubts)
    # Told which, nothing is asked.
    for told, more in ((REWORDED, doubts), (RENUMBERED, {})):
        found = document_identity.decide([one._replace(told=told) for one in now], before)
        assert (found.same, found.doubts) == ({**same, **more}, {})


@pytest.mark.parametrize(
    ("before", "now", "same", "doubts"),
    [
        # The id comes before the description.
        (
            [document("1>A", "Test", "a", held=True), document("2>B", "Test", "b")],
            [document("3>A", "Test", "b"), document("4>B", "Test", "a")],
            {"3": "1", "4": "2"}, {},
        ),
        # The id of one of the two is another title's now: they were renumbered.
        (
            [document("1>A", "Cart", held=True), document("2>B", "Pay", held=True)],
            [document("1>A", "New"), document("2>B", "Cart"), document("3>C", "Pay")],
            {"2": "1", "3": "2"}, {},
        ),
        (
            [document("1>A", "Cart"), document("2>B", "Pay", held=True)],
            [document("3>A", "Pay")],
            {"3": "2"}, {},
        ),
        # A title that comes back under a new id is asked about.
        ([document("1>A", "Release", held=True)], [document("2>B", "Release")], {}, {"2": "1"}),
        ([document("1>A", "Release")], [document("2>B", "Release")], {"2": "1"}, {}),
    ],
)  # fmt: skip
def test_what_a_document_with_an_id_of_its_own_is(
    before: list[Document], now: list[Document], same: dict[str, str], doubts: dict[str, str]
) -> None:
    now = [one._replace(has_id=True) for one in now]
    found = document_identity.decide(now, before)
    assert (found.same, found.doubts) == (same, doubts)
    # With all ids otherwise, as where a project gets another prefix, what is done is no other work.
    found = document_identity.decide([one._replace(done=True) for one in now], before)
    assert (found.same, found.doubts) == ({**same, **doubts}, {})
