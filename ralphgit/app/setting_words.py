"""The settings and the answers in words, for documentation made from their schemas."""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.records import schemas, settings_template


def variables() -> Iterator[tuple[str, str]]:
    """The environment variable of each setting, and what it sets."""
    for key, words in settings_template.described():
        yield f"RALPH_{key.upper().replace('.', '_')}", words


def output_schema() -> bytes:
    """The schema of what --json prints."""
    return schemas.read("output")
