"""The tables of import formats and agent presets in the documents, made from the values themselves.

PYTHONPATH=tools python -m registry_tables
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ralphgit.loop.presets import BUILT_IN, AgentPreset
from ralphgit.records import importers

DOCS = Path(__file__).resolve().parent.parent / "docs"


def tables() -> dict[tuple[str, str], str]:
    """Each table, by the document it stands in and the name in the comments around it."""
    formats = [(f"`{one.name}`", one.help) for one in importers.BUILT_IN]
    presets = [(f"`{one.name}`", _command(one), one.help, one.needs) for one in BUILT_IN]
    bounds = [(f"`{one.name}`", one.may_not, one.trust, one.tried) for one in BUILT_IN]
    return {
        ("import.md", "formats"): _table(("format", "what the file is"), formats),
        ("loop.md", "agents"): _table(("agent", "what is started", "", "needs"), presets),
        ("loop.md", "bounds"): _table(("agent", "may not", "a folder", "tried with"), bounds),
    }


def _command(preset: AgentPreset) -> str:
    # Wherever the Python is that runs ralphgit.
    words = ["python" if word == sys.executable else word for word in preset.words]
    return f"`{shlex.join(words)}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in (head, *rows)]
    lines.insert(1, f"|{'---|' * len(head)}")
    return "\n".join(lines) + "\n"


def renewed(text: str, name: str, table: str) -> str:
    """`text` of a document with `table` between its comments."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    pattern = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.S)
    made, count = pattern.subn(lambda _: f"\n{table}\n", text)
    if count != 1:
        raise ValueError(f"{begin.strip()} stands {count} times in the document")
    return made


def main() -> None:
    """Write every table anew."""
    for (document, name), table in tables().items():
        path = DOCS / document
        path.write_text(renewed(path.read_text("utf-8"), name, table), "utf-8")


if __name__ == "__main__":
    main()
