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
#: From so many characters on a value is looked for, whatever it is.
_LONG = 8
#: What is shorter may be a word or a number that stands elsewhere, too, unless it has both.
_SHORT = r"(?=.*[a-zA-Z])(?=.*[0-9]).{4,}"


def secrets_in(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The values of variables whose names say that they are secret, longest first.

    Of those under eight characters only what has both letters and digits.
    """
    found = {
        value
        for name, value in environ.items()
        if re.search(_SECRET_NAME, name) and (len(value) >= _LONG or re.match(_SHORT, value))
    }
    return tuple(sorted(found, key=len, reverse=True))


def redact(text: str, secrets: tuple[str, ...] = ()) -> str:
    """`text` without known secrets, the usual shapes of tokens, and `password=...`."""
    for secret in secrets:
        text = text.replace(secret, MARK)
    text = re.sub(_SHAPES, MARK, text)
    return re.sub(_NAMED, lambda found: found.group(1) + MARK, text)
