"""What another version of `init` would have written."""

from __future__ import annotations

from ralphgit.records import init_marks


def older(text: str) -> str:
    """What `init` wrote, as a version that said one line more had it."""
    line = next(one for one in text.splitlines() if init_marks.SEAL[:-2] in one)
    mark = next((m for m in (init_marks.HTML, init_marks.HASH) if f"{m.begin}\n" in text), None)
    comment = f"{line}\n{line[0]} older{' -->' if line[0] == '<' else ''}\n"
    text = text.replace(f"{line}\n", comment)
    body = text
    if mark is not None:
        body = (init_marks.body(text.encode(), mark) or b"").decode()
    bare = body.replace(line, line.replace(line.partition("(")[2].partition(")")[0], "@"))
    return text.replace(body, init_marks.sealed(bare).decode())
