"""Read when a limit ends, as people and machines write it.

Pure: the time now, the agent's zone and the zones of the world are arguments.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo

#: The zone of a name like `Europe/Berlin`; None for one that is not known.
Zones = Callable[[str], tzinfo | None]

_DAY_S = 86400.0
#: No limit is longer than a month; what is read as more was meant otherwise.
LONGEST_S = 40 * _DAY_S
#: A clock time that was so long ago was that of today, and not tomorrow's.
_JUST_PAST_S = 1800.0

#: What a time stands behind: `resets 3pm`, `try again at 2:40 AM`, `"retryDelay":"34s"`.
_CUE = re.compile(
    r"(?i)\b(?:re)?(?:resets?|try[ ](?:again|later)|retry|wait|available|until|renews?)"
    r"(?P<machine>[_ -]*(?:after|delay|in[_ -]seconds|at)\b(?:[_ -]*(?:ms|seconds))?)?"
)
_OLD_CLAUDE = re.compile(r"(?i)\busage limit reached\|(\d{10})\b")
_FILLER = re.compile(
    r"(?i)[\s\"'=:,(]*(?:(?:again|after|in|at|on|about|by|until|is)\b[\s\"'=:,(]*)*"
)
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?(?!\d)")
_ISO = re.compile(r"(?i)\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?\s*(?:z\b|[+-]\d\d:?\d\d)?")
_PART = re.compile(
    r"(?ix) [\s,]* (?:and\s+)? (\d+(?:\.\d+)?) \s* (ms|milliseconds?|s(?:ec(?:ond)?s?)?"
    r"| m(?:in(?:ute)?s?)? | h(?:(?:ou)?rs?)? | d(?:ays?)? | w(?:eeks?)?) (?![a-z])"
)
_NUMBER = re.compile(r"(\d+(?:\.\d+)?)(?![\w:/-])")
_UNIT_S = {"ms": 0.001, "mi": 60.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": _DAY_S, "w": 7 * _DAY_S}

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMED = "|".join(_MONTHS)
_MONTH_DAY = re.compile(rf"(?i)({_NAMED})[a-z]*\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)")
_DAY_MONTH = re.compile(rf"(?i)(\d{{1,2}})(?:st|nd|rd|th)?\s+({_NAMED})[a-z]*\b")
_YEAR = re.compile(r",?\s+(\d{4})\b")
_WEEKDAY = re.compile(rf"(?i)({'|'.join(_DAYS)})[a-z]*\b")
_RELATIVE = re.compile(r"(?i)(today|tomorrow)\b")
_TIME = re.compile(
    r"(?i)(\d{1,2})(?::(\d\d))?(?::\d\d)?\s*([ap])\.?m\b\.?|(\d{1,2}):(\d\d)(?::\d\d)?\b"
)
_ZONE = re.compile(
    r"\s*\(?\s*(?:(?P<name>[A-Za-z]+(?:/[A-Za-z0-9_+-]+)+|UTC|GMT|Z\b|[A-Z]{3,4}\b)"
    r"(?P<offset>[+-]\d{1,2}(?::?\d\d)?)?)"
)


def reset_time(text: str, *, now: float, zone: tzinfo, zones: Zones) -> float | None:
    """Return the time that `text` names, in seconds since 1970; None where it names none.

    A clock time is the next one in the zone beside it, else in `zone`. What has passed a short
    while ago is returned as it is; what is further off than a limit can be, as `LONGEST_S`.
    """
    here = datetime.fromtimestamp(now, zone)
    if found := _OLD_CLAUDE.search(text):
        return _within(float(found.group(1)), now)
    for cue in _CUE.finditer(text):
        start = _skip(text, cue.end())
        at = _at(text, start, here, zones, bare=cue.group("machine") or "")
        if at is not None:
            return _within(at, now)
    return None


def _within(at: float, now: float) -> float:
    return min(at, now + LONGEST_S)


def _at(text: str, start: int, here: datetime, zones: Zones, *, bare: str) -> float | None:
    """Read a time that begins at `start`; a number alone counts behind a machine's word."""
    now = here.timestamp()
    if bare and (found := _EPOCH.match(text, start)):
        return float(found.group(1))
    if found := _ISO.match(text, start):
        return _iso(found.group(0), here)
    if (seconds := _duration(text, start)) is not None:
        return now + seconds
    if (at := _clock(text, start, here, zones)) is not None:
        return at
    if bare and (found := _NUMBER.match(text, start)):
        unit = 0.001 if bare.lower().endswith("ms") else 1.0
        return now + float(found.group(1)) * unit
    return None


def _iso(text: str, here: datetime) -> float | None:
    try:
        at = datetime.fromisoformat(re.sub(r"\s+(?=[zZ+-])", "", text.strip()).upper())
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=here.tzinfo)).timestamp()


def _duration(text: str, start: int) -> float | None:
    seconds, place, seen = 0.0, start, False
    while found := _PART.match(text, place):
        unit = found.group(2).lower()
        factor = _UNIT_S["ms" if unit == "ms" or unit.startswith("milli") else unit[0]]
        seconds, place, seen = seconds + float(found.group(1)) * factor, found.end(), True
    return seconds if seen else None


class _Date:
    """A day as it was written: of this year unless it says which, and the next one of its name."""

    def __init__(self, here: datetime) -> None:
        self.day, self.is_given, self.rolls = here.date(), False, timedelta(days=1)

    def read(self, text: str, start: int) -> int:
        """Read a date that begins at `start`; returns where it ends, `start` for none."""
        if found := _RELATIVE.match(text, start):
            self.day += timedelta(days=found.group(1).lower() == "tomorrow")
            return self._seen(found.end(), timedelta())
        if found := _MONTH_DAY.match(text, start):
            return self._dated(text, found.end(), found.group(1), found.group(2))
        if found := _DAY_MONTH.match(text, start):
            return self._dated(text, found.end(), found.group(2), found.group(1))
        if found := _WEEKDAY.match(text, start):
            end = found.end()
            number = _skip(text, end)
            if (after := self.read(text, number)) > number:
                return after  # as in `Wed, 21 Oct 2026`
            ahead = (_DAYS.index(found.group(1).lower()) - self.day.weekday()) % 7
            self.day += timedelta(days=ahead)
            return self._seen(end, timedelta(days=7))
        return start

    def _seen(self, end: int, rolls: timedelta) -> int:
        self.is_given, self.rolls = True, rolls
        return end

    def _dated(self, text: str, end: int, month: str, number: str) -> int:
        year = _YEAR.match(text, end)
        try:
            self.day = self.day.replace(
                year=int(year.group(1)) if year else self.day.year,
                month=_MONTHS.index(month.lower()) + 1, day=int(number),
            )  # fmt: skip
        except ValueError:
            return end
        return self._seen(year.end() if year else end, timedelta(0 if year else 365))


def _clock(text: str, start: int, here: datetime, zones: Zones) -> float | None:
    date, place = _Date(here), start
    place = _skip(text, date.read(text, place))
    hour = minute = 0
    time = _TIME.match(text, place)
    if time is not None:
        half, plain = time.group(3), time.group(4)
        hour = int(plain) if plain else int(time.group(1)) % 12 + 12 * (half.lower() == "p")
        minute = int(time.group(5) if plain else time.group(2) or 0)
        place = time.end()
        if not date.is_given:
            after = _skip(text, place)
            place = end if (end := date.read(text, after)) > after else place
    elif not date.is_given:
        return None
    zone = _zone(text, place, zones) or here.tzinfo
    # Which day it is may differ there.
    there = here.astimezone(zone)
    day = date.day if date.is_given else there.date()
    try:
        at = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
        if (there - at).total_seconds() > _JUST_PAST_S:
            rolled = at + date.rolls
            # A date of some days ago was meant as that, not as next year's.
            at = rolled if (rolled - there).total_seconds() <= LONGEST_S else at
        return at.timestamp()
    except (ValueError, OverflowError):
        return None


def _skip(text: str, place: int) -> int:
    filler = _FILLER.match(text, place)
    return filler.end() if filler else place


def _zone(text: str, place: int, zones: Zones) -> tzinfo | None:
    found = _ZONE.match(text, place)
    if found is None:
        return None
    name, offset = found.group("name"), found.group("offset")
    if name not in ("UTC", "GMT", "Z"):
        return zones(name)
    if not offset:
        return UTC
    digits = offset[1:].replace(":", "")
    hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > 2 else (digits, "0")
    span = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-span if offset[0] == "-" else span) if span < timedelta(days=1) else UTC
