"""The settings and the answers in words, for documentation made from their schemas."""

from __future__ import annotations

from collections.abc import Iterator

from ralphgit.records import default_settings, schema


def variables() -> Iterator[tuple[str, str]]:
    """The environment variable of each setting, and what it sets."""
    for key, words in default_settings.described():
        yield f"RALPH_{key.upper().replace('.', '_')}", words


def output_schema() -> bytes:
    """The schema of what --json prints."""
    return schema.read("output")
