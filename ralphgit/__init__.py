"""A git-native record store for coding agents that work in parallel.

    repo = ralphgit.open(path)

Nothing is imported before it is asked for: the command line has no use for it.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = (
    "open", "Repo", "errors", "Task", "Holder", "Status", "Claimed", "Completed", "GivenUp",
    "Reset", "Diff",
)  # fmt: skip

if TYPE_CHECKING:
    from ralphgit import errors
    from ralphgit.api.repo import Repo, open
    from ralphgit.api.values import Claimed, Completed, Diff, GivenUp, Holder, Reset, Status, Task


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name == "errors":
        return import_module("ralphgit.errors")
    module = "repo" if name in ("open", "Repo") else "values"
    return getattr(import_module(f"ralphgit.api.{module}"), name)
