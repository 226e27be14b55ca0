"""Digest data, small one without OpenSSL: to load that takes as long as half a megabyte here."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import hashlib

#: The modules that Python itself brings; a build may leave them out.
_BUILTIN = {"sha1": "_sha1", "sha256": "_sha2" if sys.version_info >= (3, 12) else "_sha256"}
_SMALL = 512 * 1024


def begin(name: str, data: bytes, size: int) -> hashlib._Hash:
    """Begin the digest `name`, sha1 or sha256, of `size` bytes, of which `data` are the first."""
    if size < _SMALL:
        with suppress(ImportError):
            made: hashlib._Hash = getattr(import_module(_BUILTIN[name]), name)(data)
            return made
    import hashlib

    return hashlib.new(name, data)
