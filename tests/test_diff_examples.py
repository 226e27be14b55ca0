"""The Markdown of three real merges: `docs/examples` is what `diff` says of repositories made here.

With `RALPHGIT_EXAMPLES=write` (`just examples`) the files are written instead of compared.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from world import ROOT, Place, World

FOLDER = ROOT / "docs" / "examples"
GRAPH = """\
version: 1
tasks:
  - id: W-1
    title: Read the station's measurements
    status: pending
    acceptance:
      - every line of a station's file becomes a measurement
      - a line that cannot be read is reported with its number
    verify:
      - grep -q measurement src/station.py
    outputs: [src/station.py]
    scope:
      write: ["src/station*"]

  - id: W-2
    title: Keep measurements in the archive
    status: pending
    depends_on: [W-1]
    risk: high
    acceptance:
      - nothing is written twice
    verify:
      - grep -q archive src/archive.py
    outputs: [src/archive.py]
    scope:
      write: [src/archive.py]

  - id: W-3
    title: Show today's temperature
    status: pending
    depends_on: [W-2]
    scope:
      write: ["web/**"]

  - id: W-4
    title: Warn of frost
    status: pending
    depends_on: [W-2]
    scope:
      write: [src/frost.py]

  - id: W-5
    title: Print a yearly report
    status: pending
    depends_on: [W-3]
"""


def _world(folder: Path) -> World:
    world = World(folder)
    world.write_graph(GRAPH)
    world.commit("Plan")
    assert world.ralph("trust", "--yes").code == 0
    return world


def _done(place: Place, *words: str) -> None:
    ran = place.ralph(*words)
    assert ran.code == 0, (words, ran.err)


def _complete(place: Place, task: str, file: str, text: str, *words: str) -> None:
    _done(place, "claim", task, *words)
    place.write(file, text)
    _done(place, "complete", task)


def finished_work(folder: Path) -> Place:
    """Two tasks are done, one with a concern, the other reviewed; more can begin."""
    alpha = _world(folder).worktree("alpha")
    _done(alpha, "claim", "W-1")
    alpha.write("src/station.py", "measurement\n")
    _done(alpha, "complete", "--concern", "stations in the south use another format")
    _complete(alpha, "W-2", "src/archive.py", "archive\n", "--stack")
    _done(
        alpha, "audit", "add", "W-2", "--verdict", "clear", "--by", "rita", "--residual-risk",
        "two stations with one name",
    )  # fmt: skip
    alpha.commit("Review of W-2")
    return alpha


def changed_plan(folder: Path) -> Place:
    """A claim is taken back, the plan changes, and the next worker has a question."""
    world = _world(folder)
    gone = world.worktree("gone")
    _done(gone, "claim", "W-1")
    gone.commit("Begin W-1")
    world.merge("gone")
    world.git("branch", "last-week")
    _done(world, "reset", "W-1", "--reason", "its worker's machine is gone", "--force")
    plan = world.worktree("plan")
    _done(plan, "edit", "W-2", "--acceptance", "nothing is written twice", "--acceptance",
          "ten years fit on one disk")  # fmt: skip
    _done(plan, "edit", "W-4", "--depends-on", "W-1")
    _done(plan, "add", "--id", "W-6", "--title", "Send the warning by mail", "--depends-on", "W-4")
    text = plan.read()
    start = text.index("  - id: W-5")
    end = text.index("  - id: W-6")
    plan.write("task-graph.yaml", text[:start] + text[end:])
    plan.commit("Plan anew")
    _done(plan, "claim", "W-1")
    _done(
        plan, "block", "W-1", "--reason", "needs_context", "--question",
        "Which encoding do the oldest files have?", "--option", "Latin-1", "--option", "UTF-8",
    )  # fmt: skip
    return plan


def work_that_should_not_get_in(folder: Path) -> Place:
    """A file outside the scope, stale evidence, an open finding, and a task completed by force."""
    alpha = _world(folder).worktree("alpha")
    _complete(alpha, "W-1", "src/station.py", "measurement\n")
    _done(
        alpha, "audit", "add", "W-1", "--verdict", "changes-needed", "--by", "rita", "--finding",
        "high: an empty file ends the program",
    )  # fmt: skip
    alpha.write("src/station.py", "measurement, but changed since\n")
    alpha.write("deploy/secrets.env", "KEY=1\n")
    alpha.commit("Quick fix")
    _done(alpha, "claim", "W-2", "--stack")
    alpha.write("src/archive.py", "to do\n")
    _done(alpha, "complete", "W-2", "--force", "the archive's disk is away today")
    return alpha


EXAMPLES: dict[str, tuple[Callable[[Path], Place], str]] = {
    "finished-work.md": (finished_work, ""),
    "changed-plan.md": (changed_plan, "last-week...HEAD"),
    "work-that-should-not-get-in.md": (work_that_should_not_get_in, ""),
}


def _settled(text: str, place: Place) -> str:
    """`text` with ids and commits that are the same each time, numbered as they come."""
    ids = {Path(name).stem for name in place.git("ls-files", "records").split()}
    words = re.findall(r"\b[0-9a-z]{10,12}\b", text)
    commits = [one for one in words if re.fullmatch("[0-9a-f]{12}", one)]
    for form, found in (("k{:09}", [one for one in words if one in ids]), ("{:012}", commits)):
        for number, one in enumerate(dict.fromkeys(found), 1):
            text = text.replace(one, form.format(number))
    return text


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_are_what_diff_says(name: str, tmp_path: Path) -> None:
    make, span = EXAMPLES[name]
    place = make(tmp_path)
    said = place.ralph("diff", *([span] if span else []), "--format", "markdown")
    assert (said.code, said.err) == (0, "")
    text = _settled(said.out, place)
    if os.environ.get("RALPHGIT_EXAMPLES") == "write":
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / name).write_text(text)
    assert (FOLDER / name).read_text() == text, "just examples writes them anew"
