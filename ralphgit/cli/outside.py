"""What the command line hands in from outside: folder, environment, clock, chance, flags."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.model.ids import record_id


def surroundings(directory: object = "", flags: Mapping[str, object] | None = None) -> Surroundings:
    """The outside world, as `app` gets to see it; without `directory`, from the current folder.

    `flags`: the settings that the command line names.
    """
    return Surroundings(
        directory=os.path.abspath(str(directory or os.getcwd())),
        environ=dict(os.environ),
        now=time.time,
        new_id=lambda: record_id(os.urandom(8)),
        flags=flags or {},
    )
