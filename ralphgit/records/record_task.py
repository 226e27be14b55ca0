"""Write a record for a task that has another id now."""

from __future__ import annotations

import re

from ralphgit.records import yaml_writer


def with_task(data: bytes, old: str, new: str) -> bytes:
    """Replace the id `old` by `new` in the line of a record that says whose it is.

    Every other byte stays. A review names its task as `target`.
    """
    form = rb"^(task|target):[ ]*([\"']?)" + re.escape(old.encode()) + rb"\2(?=[ \t]*\r?$)"

    def line(found: re.Match[bytes]) -> bytes:
        return yaml_writer.mapping({found[1].decode(): new}).rstrip("\n").encode()

    return re.sub(form, line, data, count=1, flags=re.MULTILINE)
