"""Rows as rules get them."""

from __future__ import annotations

from typing import Any

from ralphgit.model.task_row import Row


def row(id: str, status: str = "pending", **fields: Any) -> Row:
    """A task on the base; what is not asked for is empty."""
    return Row(
        id=id, title=id, status=status, priority=2, story="", mode="parallel", depends_on=(),
        write=(), read=(), resources=(), needs=(), epoch=0, claim="", by="", at="", base="",
        contract="", mark="", file="task-graph.yaml", line=1, start=0, end=0,
        texts=b"{}", texts_start=0, texts_end=2,
    )._replace(**fields)  # fmt: skip
