"""Digest data, small one without OpenSSL: to load that takes as long as half a megabyte here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import hashlib

#: What Python itself brings, from whichever module its version has it in; a build may leave it out.
_BUILTIN = {"sha1": ("_sha1",), "sha256": ("_sha2", "_sha256")}
_SMALL = 512 * 1024


def begin(name: str, data: bytes, size: int) -> hashlib._Hash:
    """Begin the digest `name`, sha1 or sha256, of `size` bytes, of which `data` are the first."""
    for module in _BUILTIN[name] if size < _SMALL else ():
        try:
            made: hashlib._Hash = getattr(import_module(module), name)(data)
        except ImportError:
            continue
        return made
    import hashlib

    return hashlib.new(name, data)
