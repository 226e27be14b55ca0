"""Settings of git, and what they do to graph files and records."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from ralphgit.app.doctor.finding_kinds import Finding
from ralphgit.app.workspace.project import Project
from ralphgit.records import atomic_files

OLDEST_GIT = (2, 34)
PREVIEW_GIT = (2, 38)


def of_version(project: Project) -> Iterator[Finding]:
    text = project.repository.git.line("version")
    numbers = tuple(int(n) for n in re.findall(r"\d+", text)[:2])
    if numbers < OLDEST_GIT:
        yield Finding("old_git", "error", f"{text} is too old", "install git 2.34 or newer")
    elif numbers < PREVIEW_GIT:
        yield Finding(
            "old_git",
            "advice",
            f"{text} previews merges through libgit2",
            "git 2.38 does it itself",
        )


def is_on(value: str | None) -> bool:
    """Whether a setting of git's is true, in any of git's words for it."""
    return (value or "").lower() in ("true", "yes", "on", "1")


def of_settings(project: Project) -> Iterator[Finding]:
    config = project.repository.config
    if is_on(config.get("rerere.autoupdate")):
        yield Finding(
            "rerere",
            "warning",
            "rerere.autoupdate is on: "
            "an old resolution of a claim conflict would be staged silently",
            "git config rerere.autoupdate false",
        )
    top = project.repository.top
    if top is None:
        return
    if is_on(config.get("core.autocrlf")) and any(
        eol != "lf" for eol in asked(project, "eol").values()
    ):
        yield Finding(
            "autocrlf",
            "advice",
            "core.autocrlf rewrites line endings of records on checkout",
            "ralphgit init",
        )
    for path, value in asked(project, "merge").items():
        if value not in ("unspecified", "set", "text"):
            yield Finding(
                "merge_attribute",
                "error",
                f"{path} is merged by '{value}': "
                "claims would no longer conflict, or only on some machines",
                "take the merge attribute out of .gitattributes",
            )
    for path in project.paths_in(top):
        data = atomic_files.read(os.path.join(top, path)) or b""
        crlf = data.count(b"\r\n")
        if 0 < crlf < data.count(b"\n"):
            yield Finding(
                "mixed_line_endings",
                "warning",
                f"{path} has both kinds of line ending",
                "git add --renormalize, in a commit of its own, while nothing is claimed",
            )
    tracked = project.repository.git.run("ls-files", "-z", "--", ".ralph")
    if tracked:
        yield Finding(
            "runtime_tracked", "error", ".ralph/ is committed", "git rm -r --cached .ralph"
        )


def asked(project: Project, attribute: str) -> dict[str, str]:
    """What `attribute` is for each graph file of this worktree, and for a record."""
    paths = [*project.paths_in(project.top), f"{project.config.records}/audit/x.yaml"]
    out = project.repository.git.run(
        "check-attr", "-z", "--stdin", attribute, stdin="\0".join(paths).encode()
    )
    fields = out.decode("utf-8", "surrogateescape").split("\0")
    return dict(zip(fields[::3], fields[2::3], strict=False))
