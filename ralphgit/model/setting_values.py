"""Parse the values of settings, and take each from the strongest place that makes it."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ralphgit.errors import UsageError
from ralphgit.model import agent_profile, paths
from ralphgit.model.agent_profile import AGENTS
from ralphgit.model.characters import described, forbidden, strings
from ralphgit.model.config import CHOICES, Config, family, spelled

#: Settings that name files of the repository (SPEC L10).
_PATHS = ("graph", "records", "agent_prompt")
_PATTERNS = ("graph",)

_MAY_BE_0 = ("land_fixes", "review_rounds", "fleet_stagger")
#: Settings that were true or false in earlier versions.
_ONCE_TRUE_OR_FALSE = {
    "land_auto_merge": {
        **dict.fromkeys(("true", "yes", "on", "1"), "always"),
        **dict.fromkeys(("false", "no", "off", "0", ""), "never"),
    }
}
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0", "")


def parse_setting(name: str, value: object, where: str) -> object:
    """Convert `value` to the type of the setting `name`; text is accepted for every type.

    Raises: UsageError naming `where` it was set.
    """
    of_profile = family(name) == AGENTS
    key = name.rpartition(".")[2]
    default = agent_profile.DEFAULTS[key] if of_profile else Config._field_defaults[name]
    said = spelled(name, where)
    made: Any = None
    if odd := next(filter(None, map(forbidden, strings(value))), ""):
        raise UsageError(
            f"{where}: {said} has {described(odd)}",
            code="bad_setting", hint=f"remove it from {said} there",
        )  # fmt: skip
    if isinstance(default, bool):
        if isinstance(value, bool):
            made = value
        elif isinstance(value, str) and value.lower() in _TRUE + _FALSE:
            made = value.lower() in _TRUE
    elif isinstance(default, (int, float)):
        none = name in _MAY_BE_0 and str(value) == "0"
        made = 0 if none else _number(value, type(default))
    elif isinstance(default, tuple):
        if isinstance(value, str):
            made = tuple((value.replace(",", " ") if name == "provides" else value).split())
        elif isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            made = tuple(value)
        empty = not made and default
        no_variables = of_profile and key == "environment" and not all("=" in o for o in made or ())
        if empty or no_variables:
            made = None
    elif isinstance(value, str) and value in CHOICES.get(name, (value,)):
        made = value
    elif name in _ONCE_TRUE_OR_FALSE:
        made = _ONCE_TRUE_OR_FALSE[name].get(str(value).lower())
    if made is None:
        words = CHOICES.get(name)
        expected = " or ".join(words) if words else _KINDS[type(default)]
        if of_profile and key == "environment":
            expected = "a list of NAME=VALUE"
        raise UsageError(
            f"{where}: {said} is {_shown(value)}, and should be {expected}",
            code="bad_setting",
            hint=f"set {said} there to {expected}, or remove it",
        )
    if wrong := path_fault(name, made):
        path, fault = wrong
        raise UsageError(
            f"{where}: {said} is {path!r}, which {fault}", code="bad_path", hint=paths.HINT
        )
    return made


def path_fault(name: str, value: object) -> tuple[str, str] | None:
    """The first path in a setting that may not be used, and why; None where there is none."""
    if name not in (*_PATHS, *_PATTERNS) or (name == "agent_prompt" and not value):
        return None
    for path in value if isinstance(value, (list, tuple)) else (value,):
        if not isinstance(path, str):
            continue
        fault = paths.fault(path) if name in _PATHS else None
        if said := fault or (_pattern_fault(path) if name in _PATTERNS else ""):
            return path, said
    return None


def _pattern_fault(pattern: str) -> str:
    """Why a pattern means nothing; "" for one that does."""
    if not any(sign in pattern for sign in "*?[]{}\\"):
        return ""
    from ralphgit.model import path_patterns

    try:
        path_patterns.routes(pattern)
    except ValueError as error:
        return f"is no pattern: {error}"
    return ""


def _shown(value: object) -> str:
    """`value` as it was set; of a long one how it begins."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of so many digits
        return "a number of too many digits"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


_MOST_SHOWN = 200


def _number(value: object, kind: type[int] | type[float]) -> int | float | None:
    """`value` as a positive number of `kind`; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        return None
    return number if 0 < number < 2**53 else None


_KINDS = {
    bool: "true or false",
    int: "a positive whole number",
    float: "a positive number",
    tuple: "a list of text",
    str: "text",
}


class Setting(NamedTuple):
    """What a setting is, and who says so."""

    value: object
    where: str


#: Where settings are from, and what they are.
Layer = tuple[str, Mapping[str, object]]


def settle(layers: Iterable[Layer]) -> dict[str, Setting]:
    """Take each setting from the first of `layers` that makes it.

    Raises: UsageError.
    """
    made: dict[str, Setting] = {}
    for where, layer in layers:
        for name, value in layer.items():
            if name not in made:
                parse = parse_setting if isinstance(value, (list, dict)) else _parsed
                made[name] = Setting(parse(name, value, where), where)
    return made


#: A loop settles all its settings several times a task. True is not 1 here.
_parsed = lru_cache(maxsize=1024, typed=True)(parse_setting)


def from_settings(made: Mapping[str, Setting]) -> Config:
    """Return these settings, and the defaults of the others."""
    values = {name: setting.value for name, setting in made.items()}
    profiles = agent_profile.from_settings(values)
    own = {name: value for name, value in values.items() if family(name) != AGENTS}
    # parse_setting has seen to the types.
    return Config(**own, agents=profiles)  # type: ignore[arg-type]


def resolve(layers: Iterable[Layer]) -> Config:
    """Merge `layers`, the strongest first, into the settings.

    Raises: UsageError.
    """
    return from_settings(settle(layers))
