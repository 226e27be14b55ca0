"""Keep secrets out of what is recorded."""

from __future__ import annotations

import re
from collections.abc import Mapping

MARK = "[redacted]"
# Only text: compiled where output is recorded.
_SHAPES = r"""(?xs)
      gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
    | sk-[A-Za-z0-9_-]{16,} | xox[abprs]-[A-Za-z0-9-]{10,} | AKIA[0-9A-Z]{16}
    | AIza[0-9A-Za-z_-]{30,} | npm_[A-Za-z0-9]{30,}
    | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}
    | -----BEGIN[ A-Z]*PRIVATE[ ]KEY-----.*?(?:-----END[ A-Z]*PRIVATE[ ]KEY-----|\Z)
    | (?<=://)[^\s/:@]+:[^\s/@]+(?=@)
    """
_NAMED = (
    r"(?i)\b((?:authorization|[a-z0-9_-]{0,64}(?:token|secret|password|passwd|api[_-]?key))"
    r"\s*[:=]\s*(?:bearer\s+|basic\s+)?)(\"[^\"\n]+\"|'[^'\n]+'|[^\s\"']{4,})"
)
_SECRET_NAME = r"""(?xi)
      token(?!s) | secret | passw | passphrase | pgpass(?!file) | credential | cookie | webhook
    | api_?key | access_?key | private_?key | (?:^|_) key$ | (?:^|_) pat$ | _pwd$ | _dsn$
    | auth (?! or | ority | _sock )
    """
_KEY_BEGINS = r"-----BEGIN[ A-Z]*PRIVATE KEY-----"
_KEY_ENDS = r"-----END[ A-Z]*PRIVATE KEY-----"
#: A line within a private key: base64, or a header.
_KEY_LINE = r"\s*(?:[A-Za-z0-9+/=]*|[A-Za-z0-9-]+: .*)\s*"
#: From so many characters on a value is looked for, whatever it is.
_LONG = 8
#: So long may be what is known by its shape: a private key of 4,096 bits.
_LONGEST_SHAPE = 4096
#: What is shorter may be a word or a number that stands elsewhere, too, unless it has both.
_SHORT = r"(?=.*[a-zA-Z])(?=.*[0-9]).{4,}"


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names say that they are secret, longest first.

    Of those under eight characters only what has both letters and digits; of one of several lines
    each line that is twice as long, too.
    """
    found = {
        value
        for name, value in environ.items()
        if re.search(_SECRET_NAME, name) and (len(value) >= _LONG or re.match(_SHORT, value))
    }
    lines = {line.strip() for value in found if "\n" in value for line in value.splitlines()}
    found |= {line for line in lines if len(line) >= 2 * _LONG}
    return tuple(sorted(found, key=len, reverse=True))


def longest(secrets: tuple[str, ...]) -> int:
    """In characters, how long what `redact` takes out may be."""
    return max((_LONGEST_SHAPE, *map(len, secrets)))


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without known secrets, the usual shapes of tokens, and `password=...`."""
    for secret in secrets:
        text = text.replace(secret, MARK)
    text = re.sub(_SHAPES, MARK, text)
    return re.sub(_NAMED, lambda found: found.group(1) + MARK, text)


def redact_end(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without secrets, where what came before it is gone: it may begin with half a secret.

    So what stands before the first that is found is left out, of at most the length of one.
    """
    clean, most = redact(text, secrets), longest(secrets)
    found = clean.find(MARK, 0, most + len(MARK))
    return clean[most if found < 0 else found :]


class LineRedactor:
    """Take secrets out of a text that comes line by line: a private key goes over several."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._secrets = secrets
        self._within_key = False

    def redact(self, line: str) -> str:
        """The next line without secrets."""
        if self._within_key:
            end = re.search(_KEY_ENDS, line)
            if end is None and re.fullmatch(_KEY_LINE, line):
                return MARK
            self._within_key = False
            line = MARK + line[end.end() :] if end else line
        begins = [found.end() for found in re.finditer(_KEY_BEGINS, line)]
        self._within_key = bool(begins) and not re.search(_KEY_ENDS, line[begins[-1] :])
        return redact(line, self._secrets)
