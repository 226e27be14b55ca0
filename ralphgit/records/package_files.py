"""Find files that come with ralphgit: in the wheel in this package, in a checkout at its top."""

from __future__ import annotations

import os

from ralphgit.errors import Bug


def folder(name: str) -> str:
    """The folder of that name, `schemas` or `skills`."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    for place in (os.path.join(package, name), os.path.join(os.path.dirname(package), name)):
        if os.path.isdir(place):
            return place
    raise Bug(f"{name}/ is not installed with ralphgit")


def read(name: str, *parts: str) -> bytes:
    """A file of the folder `name`."""
    with open(os.path.join(folder(name), *parts), "rb") as file:
        return file.read()


def package_file(name: str) -> bytes:
    """A file that is part of the package."""
    with open(os.path.join(os.path.dirname(os.path.dirname(__file__)), name), "rb") as file:
        return file.read()
