"""Define what there is to choose from, as help and completion show it."""

from typing import NamedTuple


class Listed(NamedTuple):
    """Something to choose from, as help and completion show it."""

    name: str
    help: str
    package: str = ""
    """The package that adds it, "" for what is built in."""
