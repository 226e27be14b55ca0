"""Read what a story says of all of its tasks: its title and its description."""

from __future__ import annotations

from ralphgit.app.workspace.graph_view import GraphView
from ralphgit.errors import InvalidRecord
from ralphgit.records import graph_file, task_blocks


def told(view: GraphView, story: str) -> str:
    """The words of `story` in the graph's `stories`; "" where it says no more than its id.

    Only what stands around the tasks is read, however many there are.
    """
    for path, _ in view.shards if story else ():
        text = view.content(path)
        if "stories:" not in text:
            continue
        spans = [task_blocks.Block(row.start, row.end) for row in view.rows if row.file == path]
        try:
            entries = graph_file.around(text, spans).get("stories")
        except InvalidRecord:
            continue  # of a layout that is read as a whole only
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and str(entry.get("id")) == story:
                said = (entry.get("title"), entry.get("description"))
                return "\n\n".join(one for one in said if isinstance(one, str) and one)
    return ""
