"""Know the blob ids of working files without reading those that have not changed."""

from __future__ import annotations

import os

from ralphgit.app.workspace.project import Project

#: So long after its last change a file is still read: another change might leave the same time.
_UNSURE_NS = 3_000_000_000
_Sign = tuple[int, int, int, int]
"""Size, inode, and the times of the last change of content and of anything."""


class FileIds:
    """The blob ids of the files of one worktree.

    A file is the one that was read before if the system says that nothing of it was changed.
    """

    def __init__(self, project: Project, top: str) -> None:
        self._project, self._top = project, top
        self._key = f"files {top}"
        kept = project.cache.kept(self._key)
        self._before: dict[str, tuple[_Sign, str]] = kept if isinstance(kept, dict) else {}
        self._now: dict[str, tuple[_Sign, str]] = {}

    def of(self, path: str) -> str:
        """The id of the content of `path`, below the top. Raises: OSError."""
        full = f"{self._top}/{path}"
        found = os.stat(full)
        sign = (found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
        known = self._before.get(path)
        if known is not None and known[0] == sign:
            self._now[path] = known
            return known[1]
        oid = self._project.repository.objects.file_id(full)
        if max(sign[2:]) < self._project.around.now() * 1e9 - _UNSURE_NS:
            self._now[path] = (sign, oid)
        return oid

    def keep(self) -> None:
        """Keep what was found for the next command."""
        if self._now != self._before:
            self._project.cache.keep(self._key, self._now)
