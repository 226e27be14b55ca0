"""Find files of the repository that a command names and that are not as the base has them.

A command that a person has agreed to runs what it names, and in a worktree that is the agent's to
write. What a line comes to only a shell can tell: where a word could be such a file, it is one.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator

from ralphgit.app.workspace import runtime_files
from ralphgit.app.workspace.project import Project
from ralphgit.git.run_git import names
from ralphgit.model import paths

_QUOTES = re.compile(r"""['"\\]""")
#: A word as a shell reads it, and what of it is in quotes.
_TOKEN = re.compile(r"""(?:[^\s;&|()<>`'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+""", re.DOTALL)
_QUOTED = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)""", re.DOTALL)
#: A line in quotes that a line in quotes has, and so on.
_DEEP = 3
#: What ends a word. An expansion ends none: it may be any part of a name, as `*` is.
_END = re.compile(r"[\s;&|()<>`=,:@]+")
_EXPANSION = re.compile(r"\$(?:\{[^}]*\}?|\w+|[@*#?!-]?)|\{[^}\s]*\}")
#: Stand for an expansion, and for one of what ralphgit tells the command.
_ANY, _OURS = "\0", "\1"
_OF_OURS = re.compile(r"\$(?:\{RALPH_[^}]*\}?|RALPH_\w+)")
_VARIABLE = re.compile(r"\$\{?(\w+)")
_MAGIC = re.compile(r"[*?\[]")
_JUST, _RC = "[jJ][uU][sS][tT][fF][iI][lL][eE]", (".npmrc", "package.json")
#: What runs a module, or a folder, that it is given, or a file without its ending.
INTERPRETER = re.compile(r"(?:python|pypy|node|nodejs|deno|bun|tsx|ts-node|ruby|go)[\d.]*")
#: Files that programs run, or are told by what to run, without being given their names.
UNNAMED = {
    # A makefile is itself made anew of what make's own rules find beside it (`Makefile.sh`).
    "make": (
        "GNUmakefile", "makefile", "Makefile", "*akefile[.,]*", "s.*akefile", "RCS/*", "SCCS/*",
    ),
    "just": (_JUST, f".{_JUST}"),
    "npm": _RC, "npx": _RC, "pnpm": (*_RC, ".pnpmfile.*", "pnpm-workspace.yaml"),
    "yarn": (*_RC, ".yarnrc", ".yarnrc.yml"), "bun": (*_RC, "bunfig.toml"),
    "rake": ("rakefile", "Rakefile", "rakefile.rb", "Rakefile.rb", "rakelib/*.rake"),
    "bundle": ("Gemfile", "gems.rb", ".bundle/config"),
    "task": ("[tT]askfile.y*ml", "[tT]askfile.dist.y*ml"),
}  # fmt: skip
#: Those that a program looks for in the folders above, too.
ABOVE = {
    "just": ("justfile", "Justfile", ".justfile"),
    **dict.fromkeys(("npm", "npx", "pnpm", "yarn", "bun"), ("package.json",)),
    "rake": ("rakefile", "Rakefile", "rakefile.rb", "Rakefile.rb"),
    "bundle": ("Gemfile", "gems.rb"),
    "task": ("Taskfile.yml", "taskfile.yml", "Taskfile.yaml", "taskfile.yaml"),
}  # fmt: skip
#: What is run of a module or a folder that is named, after its path.
RUN = (
    ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", "/__init__.py", "/__main__.py", "/index.js",
    "/index.mjs", "/index.cjs", "/package.json", "/*.go",
    *(f"{place}.{end}" for place in ("", "/__init__") for end in ("*so", "pyc", "*pyd")),
)  # fmt: skip
#: What Python takes in the place of a module's file, and git mostly ignores.
_COMPILED = (".so", ".pyc", ".pyd")
#: On one way, as Linux has it.
_MOST_LINKS = 40
#: Has Python run the file of a module, and not what an agent has compiled for it.
UNCACHED = {"PYTHONPYCACHEPREFIX": os.devnull, "PYTHONDONTWRITEBYTECODE": "1"}


def changed(project: Project, command: str) -> list[str]:
    """List the files that `command` may name and this worktree has otherwise than the base."""
    top, base, objects = project.top, project.base.commit, project.repository.objects
    found = _own(project, command)
    if not (base and found):
        return []
    there = dict(zip(found, objects.resolve([f"{base}:{name}" for name in found]), strict=True))
    other = [
        name
        for name, oid in there.items()
        if oid is not None and not _is_same(project, os.path.join(top, name), oid)
    ]
    new = {name for name, oid in there.items() if oid is None}
    compiled = {name for name in new if name.endswith(_COMPILED)}
    return sorted([*other, *compiled, *_not_ignored(project, [*new - compiled])])


def may_name(project: Project, command: str) -> bool:
    """Whether `command` may name any file of this worktree; git is not asked."""
    return bool(_own(project, command))


def quoted(line: str, deep: int = _DEEP) -> set[str]:
    """Return the words of a shell line that have in them what ends a word, in quotes or as `=`
    does: each as a whole, what an option has behind its `=`, and the words of a line in quotes.
    """
    found = set[str]()
    for match in _TOKEN.finditer(line):
        word = _QUOTED.sub(lambda one: "".join(filter(None, one.groups())), match[0])
        if word != match[0] or _END.search(word):
            found.update((word, word.partition("=")[2]))
        if word != match[0] and deep:
            found |= quoted(word, deep - 1)
    return found - {""}


def _own(project: Project, command: str) -> list[str]:
    return sorted({name for name in _files(project, command) if paths.fault(name) is None})


def _not_ignored(project: Project, new: list[str]) -> list[str]:
    """Leave out what is nobody's to commit, as a person's own files are: what git ignores, but not
    by a `.gitignore` that is otherwise on the base.
    """
    if not new:
        return []
    git = project.repository.git.at(project.top)
    told = "\0".join(new).encode("utf-8", "surrogateescape")
    said = names(git.try_run("check-ignore", "-v", "-z", "--stdin", stdin=told + b"\0").out)
    told_by = zip(said[::4], said[2::4], said[3::4], strict=False)
    by = {name: file for file, pattern, name in told_by if not pattern.startswith("!")}
    base, objects = project.base.commit, project.repository.objects
    files = sorted({name for name in by.values() if os.path.basename(name) == ".gitignore"})
    there = dict(zip(files, objects.resolve([f"{base}:{name}" for name in files]), strict=True))
    changed = {
        name
        for name, oid in there.items()
        if oid is None or not _is_same(project, os.path.join(project.top, name), oid)
    }
    return [name for name in new if name not in by or by[name] in changed]


def _files(project: Project, command: str) -> Iterator[str]:
    """Find every file of the worktree that a word may be, below each folder that others are."""
    top = os.path.realpath(project.top)
    words = _words(project, command)
    words |= {name for word in words for name in UNNAMED.get(os.path.basename(word), ())}
    words |= {name for word in words for name in of_module(word)}
    below = {name for word in words for name in _listed(top, word) if _is_folder(top, name)}
    below |= {os.path.join(one, other) for one in below for other in below}
    for folder in {"", *below}:
        for word in words:
            for found in _listed(top, os.path.join(folder, word)):
                yield from (one for one in way(top, found)
                            if one.split("/")[0] != runtime_files.FOLDER)  # fmt: skip


def way(top: str, name: str) -> Iterator[str]:
    """Find the links on the way to what is there of a name, and the file that it ends at, as the
    system goes it: behind a link `..` goes by where that leads.

    `top` is a real path; what is not in it is left out.
    """
    left, at, links = name.split("/")[::-1], top, 0
    while left and links < _MOST_LINKS:
        at = os.path.normpath(os.path.join(at, left.pop()))
        is_link = os.path.islink(at)
        is_end = not left and os.path.exists(at) and not os.path.isdir(at)
        if (is_link or is_end) and at.startswith(f"{top}/"):
            yield os.path.relpath(at, top)
        if is_link:
            links += 1
            left += os.readlink(at).split("/")[::-1]
            at = "/" if os.path.isabs(os.readlink(at)) else os.path.dirname(at)


def of_module(word: str) -> Iterator[str]:
    """Name what is run of the module `tools.open_pr`, of the folder `tools`, or of the file
    `tools/open.pr` whose ending is left out.
    """
    if _MAGIC.search(word):
        return
    if "/" in word:
        yield from (word.rstrip("/") + end for end in RUN)
    # Also of each package that the module is in, a file in its place included.
    parts = re.split(r"[./]+", word.removeprefix("-m").strip("./"))
    for number in range(1, len(parts) + 1):
        yield from ("/".join(parts[:number]) + end for end in RUN)


def _is_folder(top: str, name: str) -> bool:
    return os.path.isdir(os.path.join(top, name))


def _listed(top: str, pattern: str) -> list[str]:
    if _MAGIC.search(pattern):
        found = glob.glob(pattern, root_dir=top, include_hidden=True)
    else:
        found = [pattern] if os.path.lexists(os.path.join(top, pattern)) else []
    return [name for name in found if not os.path.isabs(name)]


def _words(project: Project, command: str) -> set[str]:
    """Return the words of a shell line, with quotes taken for nothing and for an end."""
    environ, joined = project.around.environ, command.replace("\\\n", "")
    known = {name for name in _VARIABLE.findall(joined) if not name.startswith("RALPH_")}
    texts = [joined, *(environ[name] for name in known if name in environ)]
    found: set[str] = set()
    for text in texts:
        for each in (_QUOTES.sub("", text), _QUOTES.sub(" ", text)):
            found.update(_END.split(_EXPANSION.sub(_ANY, _OF_OURS.sub(_OURS, each))))
        found |= quoted(_EXPANSION.sub(_ANY, _OF_OURS.sub(_OURS, text)))
    top = os.path.realpath(project.top)
    found |= {word.removeprefix(top + os.sep) for word in found}
    # Behind a folder that only the shell knows.
    found |= {word[at + 1 :] for word in found for at, char in enumerate(word) if char == "/"}
    return {
        word.replace(_ANY, "*").replace(_OURS, "*")
        for word in found
        if re.search(r"\w", word) or word == "*" or _ANY * 2 in word
    }


def _is_same(project: Project, path: str, oid: str) -> bool:
    objects = project.repository.objects
    if os.path.islink(path):
        return objects.blob_id(os.fsencode(os.readlink(path))) == oid
    return os.path.isfile(path) and objects.file_id(path) == oid
