"""A loop keeps nothing open of what it looked at before."""

from __future__ import annotations

import os
import time
from pathlib import Path

from world import World

from ralphgit.app.workspace.project import Project
from ralphgit.app.workspace.surroundings import Surroundings


def test_what_a_project_has_read_of_the_cache_is_not_open(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph("version: 1\ntasks:\n  - id: T-1\n    title: One\n    status: pending\n")
    world.commit()
    assert world.ralph("next").code == 0  # the cache has it from now on
    around = Surroundings(str(world.path), world.environ, time.time, lambda: "an id")
    project = Project.open(around)
    assert [row.id for row in project.base_view.rows] == ["T-1"]
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    places = [os.path.realpath(os.path.join(folder, one)) for one in os.listdir(folder)]
    project.repository.close()
    cache = os.path.join(project.repository.common_dir, "ralphgit")
    assert [place for place in places if place.startswith(cache)] == []
