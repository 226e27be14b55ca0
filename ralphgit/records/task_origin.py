"""Read and write `x-source`: which files a task was imported from, and what they said of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ralphgit.model.task_status import Status

SOURCE = "x-source"


class Origin(NamedTuple):
    """What `x-source` says."""

    files: tuple[str, ...]
    digests: dict[str, str]
    """By field (`_label`)."""
    id: str = ""
    """The task's id in the files; "" where it is its own."""
    before: dict[str, str] = {}  # noqa: RUF012  # never changed
    """By field, the digest of what the files said before the newest change of it."""
    gone: bool = False
    """Something was done for the task here, and it was in the files no more at the last import."""

    @staticmethod
    def of(stored: Mapping[str, Any]) -> Origin | None:
        value = stored.get(SOURCE)
        if not isinstance(value, dict):
            return None
        files, fields = value.get("file"), value.get("fields")
        several = files if isinstance(files, list) else [files]
        listed = [file for file in several if isinstance(file, str)]
        if not isinstance(fields, str) or not listed:
            return None
        pairs = [word.partition("=") for word in fields.split()]
        both = {name: digest.partition("/") for name, _, digest in pairs}
        return Origin(
            tuple(listed),
            {name: now for name, (now, _, _) in both.items()},
            str(value.get("id") or ""),
            {name: old for name, (_, _, old) in both.items() if old},
            value.get("gone") is True,
        )

    def stored(self) -> dict[str, Any]:
        files = self.files[0] if len(self.files) == 1 else list(self.files)
        words = (
            f"{name}={digest}" + (f"/{self.before[name]}" if name in self.before else "")
            for name, digest in self.digests.items()
        )
        return {
            "file": files, **({"id": self.id} if self.id else {}), "fields": " ".join(words),
            **({"gone": True} if self.gone else {}),
        }  # fmt: skip


def complete_at_birth(stored: Mapping[str, Any]) -> tuple[str, ...]:
    """The files that said that a task is complete as it was imported; none for any other task.

    Nobody has claimed it here since, so nothing was verified.
    """
    if stored.get("status") != Status.COMPLETE or stored.get("claim") or stored.get("result"):
        return ()
    origin = Origin.of(stored)
    said = origin is not None and origin.digests.get("status") == Status.COMPLETE
    return origin.files if origin is not None and said else ()
