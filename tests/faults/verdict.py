"""Whether what a fault left can be completed, or undone, and nothing is lost."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from world import Result

from faults.stage import Moment, Scene, Stage
from faults.working import WORK, Case, place


def tried(stage: Stage, case: Case, moment: Moment) -> None:
    """Stop the command at a moment, repeat it, and look at everything."""
    done = stage.stop(moment)
    try:
        if not moment.kills:
            _told(done, moment)
        _survived(stage, case, moment)
    except AssertionError as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        words = " ".join(stage.scene.words)
        told = f"{where.name}: {where.line} {error}"
        raise AssertionError(f"{words}, {moment}, then {done}: {told}") from error


def _told(done: Result, moment: Moment) -> None:
    """A step that fails is an error with its words, or has been dealt with."""
    assert done.code != 70, "it is told as a bug"
    assert done.code == 0 or done.err.startswith(("error: ", "warning: ")), "it is not said"
    assert "Traceback" not in done.err


def _survived(stage: Stage, case: Case, moment: Moment) -> None:
    scene, world = stage.scene, stage.scene.world
    world.git("fsck", "--no-dangling", "--no-progress")
    alpha = place(world, "alpha")
    if case.work:
        assert {name: alpha.read(name) for name in WORK} == WORK
    for path in _leftovers(stage.live):
        long_ago = time.time() - 60
        os.utime(path, (long_ago, long_ago))  # a young lock may be somebody's
    _repeat(scene, case)
    if moment.how == "lock":
        world.ralph("doctor", "--fix")
        assert not [one for one in world.ralph("doctor", "--json").data["findings"]
                    if one["code"] != "unfinished_claim"]  # fmt: skip
    case.after(world)
    assert world.ralph("doctor", "--fix").code == ("main" in case.told)
    if alpha.path.exists():
        assert alpha.ralph("doctor", "--fix").code == ("alpha" in case.told)
    assert list(_leftovers(stage.live)) == []
    world.git("fsck", "--no-dangling", "--no-progress")


def _repeat(scene: Scene, case: Case) -> None:
    """The command again; where it does not go on, after `doctor --fix` or what its hint says."""
    again = scene.place.ralph(*scene.words, "--json")
    if again.code == 1 and again.error == "index_locked":
        assert "doctor --fix" in again.json["error"]["hint"]
        assert "fixed: " in scene.place.ralph("doctor", "--fix").out
        again = scene.place.ralph(*scene.words, "--json")
    elif again.code and scene.place.ralph("doctor", "--fix").out.startswith("fixed: "):
        again = scene.place.ralph(*scene.words, "--json")
    if again.code and str(again.json["error"]["hint"]).startswith("git "):
        assert scene.place.run("sh", "-c", again.json["error"]["hint"]).code == 0
        again = scene.place.ralph(*scene.words, "--json")
    # It may have been done already: then that is what the command says.
    assert again.code == 0 or again.error in case.again, f"repeated: {again}"


def _leftovers(folder: Path) -> Iterator[str]:
    for parent, _, leaves in os.walk(folder):
        for leaf in leaves:
            ours = leaf.startswith((".ralph-tmp-", "index.ralph-", "moving-"))
            if ours or leaf.endswith(".lock"):
                yield os.path.join(parent, leaf)
