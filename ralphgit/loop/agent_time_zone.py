"""Find the zone in which an agent tells the time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, tzinfo

_LOCAL = "/etc/localtime"
_MARK = "/zoneinfo/"


def zone_of(environ: Mapping[str, str]) -> tzinfo:
    """Return the zone of an agent with these variables: TZ, else this machine's."""
    named = environ.get("TZ", "").lstrip(":")
    if not named:
        named = os.path.realpath(_LOCAL).partition(_MARK)[2]
    here = datetime.now().astimezone().tzinfo
    assert here is not None
    return zone_named(named) or here


def zone_named(name: str) -> tzinfo | None:
    """Return the zone of a name as in `Europe/Berlin`; None for one that is not known here."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        return None
