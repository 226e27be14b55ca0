"""Find settings of git that harm graph files and records."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator, Sequence

from ralphgit.app.doctor.finding_kinds import Finding, fixable
from ralphgit.app.workspace import base_branch, clone_limits
from ralphgit.app.workspace.project import Project
from ralphgit.git.listings import is_on
from ralphgit.records import atomic_files

OLDEST_GIT = (2, 34)


def of_version(project: Project) -> Iterator[Finding]:
    text = project.repository.git.line("version")
    numbers = tuple(int(n) for n in re.findall(r"\d+", text)[:2])
    if numbers < OLDEST_GIT:
        yield Finding("old_git", "error", f"{text} is too old", "install git 2.34 or newer")


def of_clone(project: Project) -> Iterator[Finding]:
    for limit in clone_limits.found(project):
        if limit.code == "single_branch":
            yield Finding("single_branch", "warning", limit.message, limit.hint)
        else:
            yield Finding("shallow", "advice", limit.message, limit.hint)


def of_core_bare(project: Project, fix: bool) -> Iterator[Finding]:
    """Only a main worktree, which some tool may have called bare, has an index."""
    repository = project.repository
    home = repository.common_dir
    has_index = os.path.exists(os.path.join(home, "index"))
    if not is_on(repository.config.get("core.bare")) or not has_index:
        return
    if fix:
        repository.git.run("config", "--file", os.path.join(home, "config"), "core.bare", "false")
    message = f"core.bare is true, and {os.path.dirname(home)} is no bare repository"
    yield fixable("core_bare", "error", message, fix)


def of_base(project: Project) -> Iterator[Finding]:
    if (
        found := base_branch.unchosen(project.repository, project.base, project.config.base)
    ) is None:
        return
    yield Finding("unchosen_base", "warning", found.message, found.hint)


def of_filters(project: Project) -> Iterator[Finding]:
    """Look for filters of the top's .gitattributes that this clone has not, or cannot run."""
    data = atomic_files.read(os.path.join(project.repository.top or "", ".gitattributes")) or b""
    config, path = project.repository.config, project.around.environ.get("PATH")
    for name in sorted(set(re.findall(r"\sfilter=([^\s]+)", data.decode("utf-8", "replace")))):
        keys = [f"filter.{name.lower()}.{verb}" for verb in ("process", "clean", "smudge")]
        keys += [key.replace(name.lower(), name) for key in keys]
        lines = [config[key] for key in keys if config.get(key)]
        hint = (
            "git lfs install"
            if name == "lfs"
            else f"git config {shlex.quote(f'filter.{name}.clean')} COMMAND"
        )
        programs = [words[0] for line in lines if (words := line.split())]
        gone = [program for program in programs if shutil.which(program, path=path) is None]
        if not lines:
            message = f".gitattributes names the filter {name}, which this clone does not have"
            yield Finding("missing_filter", "warning", message, hint)
        elif gone:
            message = f"the filter {name} runs {gone[0]}, which is not installed or not on PATH"
            hint = "install git-lfs" if name == "lfs" else f"install {gone[0]}"
            yield Finding("missing_filter", "warning", message, hint)


def _content(top: str, path: str) -> bytes:
    return atomic_files.read(os.path.join(top, path)) or b""


def _to_lf(paths: Sequence[str]) -> str:
    """Return the command after which files have LF line ends: git converts by attributes alone."""
    return f"perl -pi -e 's/\\r\\n/\\n/' {shlex.join(paths)}"


def of_settings(project: Project) -> Iterator[Finding]:
    config = project.repository.config
    if is_on(config.get("rerere.autoupdate")):
        message = "an old resolution of a claim conflict would be staged silently"
        message = f"rerere.autoupdate is on: {message}"
        yield Finding("rerere", "warning", message, "git config rerere.autoupdate false")
    top = project.repository.top
    if top is None:
        return
    if is_on(config.get("core.autocrlf")) and any(
        eol != "lf" for eol in asked(project, "eol").values()
    ):
        message = "core.autocrlf rewrites line endings of records on checkout"
        # Where a graph has CRLF, init leaves the attributes as they are.
        ends = [path for path in project.paths_in(top) if b"\r\n" in _content(top, path)]
        hint = f"{_to_lf(ends)} && ralphgit init" if ends else "ralphgit init"
        yield Finding("autocrlf", "advice", message, hint)
    for path, value in asked(project, "merge").items():
        if value not in ("unspecified", "set", "text"):
            what = "claims would no longer conflict, or only on some machines"
            message = f"{path} is merged by '{value}': {what}"
            hint = "take the merge attribute out of .gitattributes"
            yield Finding("merge_attribute", "error", message, hint)
    for path in project.paths_in(top):
        data = _content(top, path)
        crlf = data.count(b"\r\n")
        if 0 < crlf < data.count(b"\n"):
            message = f"{path} has both kinds of line ending; renew it while nothing is claimed"
            yield Finding("mixed_line_endings", "warning", message, _to_lf([path]))
    if project.repository.git.run("ls-files", "-z", "--", ".ralph"):
        hint = "git rm -r --cached .ralph"
        yield Finding("runtime_tracked", "error", ".ralph/ is committed", hint)


def asked(project: Project, attribute: str) -> dict[str, str]:
    """What `attribute` is for each graph file of this worktree, and for records by a pattern."""
    folder = f"{project.config.records}/audit"
    paths = [*project.paths_in(project.top), f"{folder}/x.yaml"]
    out = project.repository.git.run(
        "check-attr", "-z", "--stdin", attribute, stdin="\0".join(paths).encode()
    )
    fields = out.decode("utf-8", "surrogateescape").split("\0")
    found = dict(zip(fields[::3], fields[2::3], strict=False))
    found[f"{folder}/*.yaml"] = found.pop(f"{folder}/x.yaml")
    return found
