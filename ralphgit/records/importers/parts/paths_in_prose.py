"""Find paths of files and folders in prose."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORDS = (
    "adoc asciidoc astro avsc bash bat bib bicep c cc cfg cjs clj cljs cmake conf cpp cs csproj"
    " css csv cts cxx dart edn ejs env erb erl ex exs fsx gd gif glsl go gradle graphql groovy h"
    " hbs hcl hpp html ico ini ipynb j2 java jl jpg js json jsonc jsonl jsonnet jsx kt kts less"
    " lock lua md mdx mjs ml mts ndjson nix pdf php pl plist png prisma proto ps1 pug pxd py pyi"
    " pyx rb rego rs rst rtf sass scala scss sh sln sql storyboard sv svelte svg swift tex tf"
    " tfvars thrift toml tpl ts tscn tsv tsx twig txt typ vhd vim vue wgsl xaml xml yaml yml zig"
    " zsh"
)
#: What tells `App.svelte` and `justfile` from `SunCalc.getPosition` and `getSunTimes`.
_LONGEST_SUFFIX = len("svelte")
#: What begins with a dot, has no folder and no ending, and is a file that somebody writes.
_HIDDEN = frozenset(
    {".gitignore", ".gitattributes", ".dockerignore", ".editorconfig", ".env.example"}
)
_BARE_FILES = frozenset({"makefile", "justfile", "dockerfile", "license", "readme"})
#: Of files that somebody writes, and that no English or code looks like.
_SUFFIXES = frozenset(_WORDS.split())
#: `.css` is the ending of files, `.env` one itself.
_ENDINGS = frozenset(f".{suffix}" for suffix in _SUFFIXES - {"env"})
#: Lines and ranges of them: `:302, 404-405`, `:L3-L5`.
_RANGE = r"L?[0-9]+(?:[-\u2013]L?[0-9]+)?"
_BEHIND = re.compile(rf"(?::{_RANGE}(?:,\s*{_RANGE})*)?(?:\s+\([^()]*\))?\Z")
#: Between words: also full-width brackets, quotes and signs, which stand without a space, and a
#: bracket right behind a letter of a script that is written without spaces.
_BETWEEN = re.compile(
    r"[\s\u3001\u3002\u3008-\u3011\u3014-\u301b\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\uff3b\uff3d]+"
    r"|(?<=[^\x00-\x7f])\("
)
_ELLIPSIS = re.compile(r"\A\.{3,}")
#: Folders that somebody did not write out.
_LEFT_OUT = re.compile(r"/(?:\.{3,}|\u2026)/")
_SPECIAL = re.compile(r"[\\*?\[\]{}]")


def is_path(text: str) -> bool:
    """Whether `text` alone, as it stands between backticks, is a path."""
    if any(letter.isspace() or letter in "()*?<>{}[]|;=\\:\"'," for letter in text):
        return False
    *folders, last = text.split("/")
    if not (text[:1].isalnum() or text[:1] in "._") or {"", "...", "..", "."} & {
        *folders,
        last or "-",
    }:
        return False
    stem, _, suffix = last.rpartition(".")
    named = bool(stem) and len(suffix) <= _LONGEST_SUFFIX and suffix.isalnum() and suffix.islower()
    return bool(folders) or named or text.casefold() in _BARE_FILES


def listed(text: str) -> str | None:
    """The path, or the pattern, that an entry of a list of files names; None for prose.

    In such a list a path may have brackets, wildcards, a line number behind it, or a remark; `...`
    in it stands for any folders.
    """
    path = _LEFT_OUT.sub("/**/", _BEHIND.sub("", text.strip()).removeprefix("./"))
    plain = re.sub(r"[()\[\]{}*?]", "_", path)
    hidden = plain.startswith(".") and plain[1:].replace(".", "").replace("-", "").isalnum()
    hidden = hidden and path not in _ENDINGS
    return path if path and (is_path(plain.lstrip("_") or "-") or hidden) else None


def named(words: str, spans: Sequence[str]) -> list[str]:
    """The files and folders that an item's words name: in `spans`, its code, or bare with a `/`.

    Only what is plainly one: `src/a.ts`, `src/models/`, `app.py`, not `os.path` or `text/html`.
    """
    bare = (
        _ELLIPSIS.sub("", word.rstrip(".,;:()").lstrip(",;:("))
        for word in _BETWEEN.split(words)
        if "`" not in word and ("/" in word or "." in word[:3])
    )
    bare = (word for word in bare if "/" in word or word in _HIDDEN)
    found = [path for text in (*spans, *bare) if (path := listed(text)) and _is_plain(path)]
    return list(dict.fromkeys(found))


def _is_plain(path: str) -> bool:
    folder, _, last = path.rpartition("/")
    if last in _HIDDEN:
        return True
    if last:
        stem, _, suffix = last.rpartition(".")
        return (bool(stem) and suffix in _SUFFIXES) or last.casefold() in _BARE_FILES
    return bool(folder) and not is_pattern(path)


def is_pattern(path: str) -> bool:
    return "*" in path or "?" in path


def pattern(path: str) -> str:
    """What stands for `path` in a scope: itself, or with what is special there escaped."""
    return path if is_pattern(path) else _SPECIAL.sub(lambda found: "\\" + found[0], path)


def is_file(path: str) -> bool:
    """Whether `path` is one file, by its name: `src/a.ts`, not `src/`, `src` or `src/*`."""
    last = path.rpartition("/")[2]
    return bool(last) and not is_pattern(path) and ("." in last or last.casefold() in _BARE_FILES)
