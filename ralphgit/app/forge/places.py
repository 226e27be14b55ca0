"""Tell where things are at a forge: repositories by their remotes, pull requests by their address.

Work goes to a fork where git's own settings or `land.remote` say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

from ralphgit.app.forge.contract import Forge, PullName
from ralphgit.app.workspace.project import Project

_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?(\[[^]]*\]|[^/:@]+)(?::\d+)?[:/]/*(.*)", re.I)
_PULL = re.compile(r"(https?)://([^/]+)/(.+?)(?:/-)?/(?:pull|pulls|merge_requests)/(\d+)(?:/.*)?")


class Address(NamedTuple):
    """What the address of a pull request says."""

    scheme: str
    host: str
    repository: str
    number: str


def address(url: str) -> Address | None:
    """The parts of a pull request's address; None for what is none."""
    found = _PULL.fullmatch(url)
    return Address(*found.groups()) if found else None


def remote_places(project: Project, remote: str) -> list[tuple[str, str]]:
    """Host and repository (owner/name) of a remote: as it is written, and as git rewrites it."""
    found = [_REMOTE.fullmatch(url) for url in _addresses(project, remote)]
    return [
        (one[1].lower().removeprefix("ssh."), one[2].rstrip("/").removesuffix(".git"))
        for one in found
        if one
    ]


def named(project: Project, there: Forge, branch: str, url: str) -> PullName | None:
    """How to ask a forge for the pull request that a note tells of; None for none of ours.

    A worker can write the note, and the token goes to the host of an address: only one in the
    repository of the base's remote, or of the fork that the branch goes to, is taken. Else the
    forge says which one the branch has.
    """
    if not branch.startswith("ralph/"):
        return None
    remotes = dict.fromkeys((project.base.remote, project.push_remote(branch)))
    pages = (page for remote in remotes for page in _pages(project, remote))
    number = r"(?:/-)?/(?:pull|pulls|merge_requests)/[0-9]+"
    if any(re.fullmatch(re.escape(page) + number, url, re.I) for page in pages):
        return PullName(url)
    return there.find(branch) or PullName(branch)


def _pages(project: Project, remote: str) -> Iterator[str]:
    """Find where a remote's repository is on the web: as written, and as git rewrites it."""
    for text in _addresses(project, remote):
        parts, found = urlsplit(text), _REMOTE.fullmatch(text)
        if parts.scheme in ("http", "https"):
            host, path = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", parts.path
        elif found is not None:
            host, path = f"https://{found[1].removeprefix('ssh.')}", found[2]
        else:
            continue
        yield f"{host}/{path.strip('/').removesuffix('.git')}"


def _addresses(project: Project, remote: str) -> Iterator[str]:
    """The address of a remote: as it is written, and as git rewrites it."""
    yield project.repository.config.get(f"remote.{remote}.url", "")
    result = project.repository.git.try_run("remote", "get-url", "--push", "--", remote)
    yield result.out.decode("utf-8", "replace").split("\n")[0]


def fork(project: Project, branch: str) -> str:
    """The repository (owner/name) that a branch is pushed to, where that is not the base's."""
    name = project.push_remote(branch)
    if name == project.base.remote:
        return ""
    known = {place for _, place in remote_places(project, project.base.remote)}
    found = [place for _, place in remote_places(project, name) if "/" in place.strip("/")]
    return next((place for place in found if place not in known), "")


def repository(project: Project, branch: str) -> tuple[str, ...]:
    """The words that name the base's repository to a program, where a branch is in a fork."""
    if not fork(project, branch):
        return ()
    for host, place in remote_places(project, project.base.remote):
        if "/" in place:
            return "--repo", place if host in ("github.com", "gitlab.com") else f"{host}/{place}"
    return ()
