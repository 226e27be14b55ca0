"""Tell where things are at a forge: repositories by their remotes, pull requests by their address.

Work goes to a fork where git's own settings or `land.remote` say so.
"""

from __future__ import annotations

import re
from typing import NamedTuple

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
    urls = [project.repository.config.get(f"remote.{remote}.url", "")]
    result = project.repository.git.try_run("remote", "get-url", "--push", "--", remote)
    urls.append(result.out.decode("utf-8", "replace").split("\n")[0])
    found = [_REMOTE.fullmatch(url) for url in urls]
    return [
        (one[1].lower().removeprefix("ssh."), one[2].rstrip("/").removesuffix(".git"))
        for one in found
        if one
    ]


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
