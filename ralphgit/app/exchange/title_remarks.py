"""Take from an item's words a remark that it is done, where its task here has none.

So the commit that Conductor writes behind an item is no part of what its task promises.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ralphgit.rules.import_identity import is_annotated


def bare(title: str, titles: Collection[str]) -> str:
    """The one of `titles` that `title` is with a remark; `title` itself where that is none."""
    if title in titles:
        return title
    words = title.split(" ")
    cuts = range(1, len(words))
    tries = [" ".join(words[:cut]) for cut in reversed(cuts)]
    tries += [" ".join(words[cut:]) for cut in cuts]
    return next((one for one in tries if one in titles and is_annotated(title, one)), title)


def without(task: dict[str, Any], titles: Collection[str]) -> dict[str, Any]:
    """The task with the one of `titles` that it has, also in its criteria; itself with none."""
    title = str(task["title"])
    known = bare(title, titles)
    if known == title:
        return task
    behind = title[len(known) :] if title.startswith(known) else ""
    made = {**task, "title": known}
    if isinstance(listed := task.get("acceptance"), list):
        made["acceptance"] = [
            {**one, "text": one["text"].removesuffix(behind)}
            if isinstance(one, dict) and title.endswith(str(one["text"]))
            else one
            for one in listed
        ]
    return made
