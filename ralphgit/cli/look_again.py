"""Look again from time to time, until something has come true or the time is up."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from ralphgit.errors import NothingReady

if TYPE_CHECKING:
    from ralphgit.app.workspace.project import Project
    from ralphgit.cli.command_call import Call

Found = TypeVar("Found")


def until(
    call: Call, look: Callable[[Project], Found], limit: float, *, fetch: bool = False
) -> Found:
    """Return what `look` finds: it looks every `loop.idle` seconds while it raises `waiting`.

    Each look is at the project as it is then, and only the last one's warnings are shown.

    Raises: what `look` raises; `waiting` once `limit` seconds have passed.
    """
    from ralphgit.app.workspace.surroundings import Progress
    from ralphgit.cli.render import telling

    deadline, known, is_told = time.monotonic() + limit, len(call.warnings), False
    while True:
        project = call.project(fetch=fetch, pulls=True)
        try:
            return look(project)
        except NothingReady as error:
            from ralphgit.rules.nothing_to_claim import Why

            left = deadline - time.monotonic()
            # A worker whose own work is in the way would wait for itself.
            if error.code != Why.WAITING or left <= 0 or error.details.get("not_landed"):
                raise
            if not is_told:
                telling(call.screen)(f"{error.message}; waiting")
            is_told, pause = True, min(project.config.loop_idle, left)
        project.repository.close()
        gc.enable()  # `main` has switched it off for what ends soon
        time.sleep(pause)
        del call.warnings[known:]
        # One line says that it waits; each fetch of it is not another.
        call = call._replace(around=call.around._replace(begun=None, progress=Progress()))
