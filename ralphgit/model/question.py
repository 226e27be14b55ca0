"""A question of a stuck worker, and its answer."""

from typing import NamedTuple


class Answer(NamedTuple):
    """What a person said."""

    text: str
    by: str
    at: str


class Guidance(NamedTuple):
    """What stands in `records/guidance/<task>/<id>.yaml`."""

    id: str
    """The id of the `blocked` record that asks."""
    task: str
    claim: str
    """The claim under which it was asked."""
    question: str
    options: tuple[str, ...]
    at: str
    by: str
    answer: Answer | None = None
    """None while there is none."""
