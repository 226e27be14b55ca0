"""Read and write the object behind a lease ref: a YAML record that only one claim can produce."""

from __future__ import annotations

from ralphgit.errors import InvalidRecord
from ralphgit.model.active_claim import Lease

_LIMIT = 64 * 1024


def encode(lease: Lease) -> bytes:
    """Encode the lease; no other claim makes the same bytes, since the claim id is random."""
    from ralphgit.records import yaml_writer

    fields = {name: value for name, value in lease._asdict().items() if name not in _NOT_STORED}
    return yaml_writer.mapping(fields).encode("utf-8", "surrogateescape")


def parse(data: bytes, oid: str) -> Lease:
    """Read the lease in an object.

    Raises: InvalidRecord.
    """
    # Not before: where nothing is leased, nobody reads YAML.
    from ralphgit.records import input_limits as texts
    from ralphgit.records import yaml_reader

    value = yaml_reader.load(texts.decode(data, limit=_LIMIT))
    if not isinstance(value, dict):
        raise InvalidRecord("a lease is a mapping")
    fields = {
        name: value.get(name, default)
        for name, default in (*_TEXT, ("epoch", 0), ("unsynchronised", False))
    }
    try:
        for name, _ in _TEXT:
            fields[name].encode("utf-8", "surrogateescape")
    except (AttributeError, UnicodeEncodeError):  # no text, or half a character of it
        raise InvalidRecord("a lease holds text") from None
    if type(fields["epoch"]) is not int or type(fields["unsynchronised"]) is not bool:
        raise InvalidRecord("a lease has a whole number as its epoch")
    return Lease(**fields, oid=oid)


_NOT_STORED = ("oid", "is_taken_back")
_TEXT = tuple(
    (name, "") for name in Lease._fields if name not in ("epoch", "unsynchronised", *_NOT_STORED)
)
