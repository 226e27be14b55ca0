"""What the command line hands in from outside: folder, environment, clock, chance, flags."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from ralphgit.app.workspace.surroundings import Surroundings
from ralphgit.model.ids import record_id

#: Options of commands that are settings as well: a flag is the strongest layer.
_SETTINGS = ("worker", "require_remote")


def surroundings(options: Mapping[str, object]) -> Surroundings:
    """The outside world, as `app` gets to see it."""
    directory = os.path.abspath(str(options.get("directory") or os.getcwd()))
    return Surroundings(
        directory=directory,
        environ=dict(os.environ),
        now=time.time,
        new_id=lambda: record_id(os.urandom(8)),
        flags={name: options[name] for name in _SETTINGS if name in options},
    )
