"""Keep secrets out of what is recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

from ralphgit.model import characters

_T = TypeVar("_T")
MARK = "[redacted]"
# Only text: compiled where output is recorded. Each is linear in what it reads, whatever that is:
# none looks from a place on for what it has looked for from another one. Each part begins with a
# letter, so that `re` looks at no place that has none of these.
_SHAPES = r"""(?xs)
      gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,}
    | gl(?:pat|ptt|dt|rtr?|cbt|ft|soat|agent|oas|imt)-[A-Za-z0-9_-]{16,}
    | s(?<!\ws)k-[A-Za-z0-9_-]{16,} | w(?<!\ww)hsec_[A-Za-z0-9+/]{16,}
    | s(?<!\ws)k_(?:live|test)_[A-Za-z0-9]{10,} | p(?<!\wp)k_(?:live|test)_[A-Za-z0-9]{10,}
    | r(?<!\wr)k_(?:live|test)_[A-Za-z0-9]{10,}
    | xox[abeprs]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,} | A[KS]IA[0-9A-Z]{16}
    | AIza[0-9A-Za-z_-]{30,} | ya29\.[0-9A-Za-z_-]{20,} | npm_[A-Za-z0-9]{30,}
    | pypi-AgE[A-Za-z0-9_-]{16,} | h(?<!\wh)f_[A-Za-z0-9]{20,} | SG\.[\w-]{16,}\.[\w-]{16,}
    | dckr_pat_[A-Za-z0-9_-]{20,} | d(?<!\wd)o[opr]_v1_[a-f0-9]{32,}
    | -----BEGIN[ A-Z]*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----.*?
      (?:-----END[ A-Z]*PRIVATE[ ]KEY(?:[ ]BLOCK)?-----|\Z)
    """
_IN_URL = r"(?<=://)[\w.~+%-]*:[^\s/@]+(?=@)|(?<=tp://|ps://)(?=[^\s/:@]*[0-9])[^\s/:@]{16,}(?=@)"
#: A JSON web token; else (1) the rest of the word, in which then none begins.
_WEB_TOKEN = r"eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]{8,}|(eyJ[\w-]*)"
#: The end of a name that says what stands behind it: with `:` or `=`, in JSON, as an option.
_NAMED = (
    r"(?i)((?:(?:\bauthorization|token|secret|password|passwd|passphrase"
    r"|_pass|_pwd|(?:api|access|private)[_-]?key)\\?[\"']?\s*[:=]\s*"
    r"|(?<![\w-])--[a-z0-9-]{0,64}(?:token|secret|password|passwd|passphrase|api-?key)[ ])"
    r"(?:bearer\s+|basic\s+)?)(\\?\"[^\"\n]+\"|'[^'\n]+'|[^\s\"']{4,})"
)
_SECRET_NAME = r"""(?xi)
      token(?!s) | secret | passw | passphrase | pgpass(?!file) | (?<!by)(?<!com)pass$
    | credential | cookie | webhook | api_?key | access_?key | private_?key
    | (?:^|_) key$ | (?:^|_) pat$ | _pwd$ | _dsn$
    | auth (?! or | ority | _sock )
    """
_KEY_BEGINS = r"-----BEGIN[ A-Z]*PRIVATE KEY(?: BLOCK)?-----"
_KEY_ENDS = r"-----END[ A-Z]*PRIVATE KEY(?: BLOCK)?-----"
#: The password in an address: any variable may have one.
_IN_ADDRESS = r"://[\w.~+%-]*:([^\s/@]+)@"
#: A line within a private key: base64, or a header.
_KEY_LINE = r"[A-Za-z0-9+/=]*|[A-Za-z0-9-]+: .*"
#: From so many characters on a value is looked for, whatever it is.
_LONG = 8
#: So long may be what is known by its shape: a private key of 4,096 bits.
_LONGEST_SHAPE = 4096
#: So many environments are known at a time: a server has one for each repository that it opens.
_MOST_ENVIRONS = 4
#: What is shorter may be a word or a number that stands elsewhere, too, unless it has both.
_SHORT = r"(?=.*[a-zA-Z])(?=.*[0-9]).{4,}"


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names say that they are secret, longest first, and the
    passwords in addresses of any.

    Of those under eight characters only what has both letters and digits; of one of several lines
    each line that is as long, too. Spaces and line ends around a value do not count.
    """
    found = {value.strip() for name, value in environ.items() if re.search(_SECRET_NAME, name)}
    found.update(one for value in environ.values() for one in re.findall(_IN_ADDRESS, value))
    known = {one for one in found if len(one) >= _LONG or re.match(_SHORT, one)}
    lines = {line.strip() for value in known if "\n" in value for line in value.splitlines()}
    known |= {line for line in lines if len(line) >= _LONG}
    return tuple(sorted(known, key=len, reverse=True))


def longest(secrets: tuple[str, ...]) -> int:
    """In characters, how long what `redact` takes out may be."""
    return max((_LONGEST_SHAPE, *map(len, secrets)))


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without known secrets, the usual shapes of tokens, and `password=...`."""
    return re.sub(_NAMED, lambda found: found.group(1) + MARK, _without(text, secrets))


def _without(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, MARK)
    text = re.sub(_WEB_TOKEN, lambda found: found.group(1) or MARK, text, flags=re.ASCII)
    return re.sub(_IN_URL, MARK, re.sub(_SHAPES, MARK, text))


def redact_end(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without secrets, where what came before it is gone: it may begin with half a secret.

    So what stands before the first that is found is left out, of at most the length of one.
    """
    clean, most = redact(text, secrets), longest(secrets)
    found = clean.find(MARK, 0, most + len(MARK))
    return clean[most if found < 0 else found :]


#: The keys of records under which free words stand: those of a worker, an agent or a person.
_WORDS = frozenset((
    "concerns", "context_reviewed", "lenses", "model", "note", "options", "question", "reason",
    "residual_risk", "severity", "summary", "text",
))  # fmt: skip
#: The environment that this process works with, as `know` was told.
_environs: list[Mapping[str, str]] = []


def know(environ: Mapping[str, str]) -> None:
    """Have no record hold a secret of `environ`, from now on, in this process."""
    if not any(one is environ for one in _environs):
        _environs.append(environ)
        del _environs[:-_MOST_ENVIRONS]


def words_of_record(value: _T) -> _T:
    """Return what is written of a record: texts without what no text may hold, and its free words
    without secrets. Every record goes through here.
    """
    made: object = _redacted(characters.values_without(value), found=False)
    return made  # type: ignore[return-value]  # of the same kind


def words_of_log(text: str) -> str:
    """Return what a loop says, without secrets: a file may be called as one."""
    return redact(text, _known())


def words_of_message(text: str) -> str:
    """Return a commit message without the secrets that are known, and the usual shapes."""
    return _without(text, _known())


def _redacted(value: object, *, found: bool) -> object:
    if isinstance(value, str):
        return redact(value, _known()) if found and value else value
    if isinstance(value, dict):
        return {key: _redacted(item, found=key in _WORDS) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, found=found) for item in value]
    return value


def _known() -> tuple[str, ...]:
    found = {one for environ in _environs for one in _secrets_of(frozenset(environ.items()))}
    return tuple(sorted(found, key=len, reverse=True))


@lru_cache(maxsize=8)
def _secrets_of(environ: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    return secrets_in(dict(environ))


class LineRedactor:
    """Take secrets out of a text that comes line by line: a private key goes over several."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets
        self._within_key = False

    def redact(self, line: str) -> str:
        """The next line without secrets."""
        if self._within_key:
            end = re.search(_KEY_ENDS, line)
            if end is None and re.fullmatch(_KEY_LINE, line.strip()):
                return MARK
            self._within_key = False
            line = MARK + line[end.end() :] if end else line
        begins = [found.end() for found in re.finditer(_KEY_BEGINS, line)]
        self._within_key = bool(begins) and not re.search(_KEY_ENDS, line[begins[-1] :])
        return redact(line, self._secrets)
