"""Tell commands from sentences, in prose and in code spans, by their form.

A wrong command stops a task for ever, a command that is not seen only leaves a criterion that
somebody observes. So what is only words is a command where it begins with a program that we know,
and reads on like a command; what has flags, pipes or paths, also of programs that we do not know.
"""

from __future__ import annotations

import re

from ralphgit.records.importers.parts import paths_in_prose
from ralphgit.records.importers.parts.markdown_items import code_spans, only_code

#: Programs whose names begin no English sentence, also where they stand outside of code.
_WORDS = (
    "npm npx pnpm yarn bun deno pytest python python3 cargo uv tox nox ruff mypy tsc eslint jest"
    " vitest gradle mvn docker curl bash sh ctest dotnet bundle rspec phpunit Rscript"
)
_PLAIN = frozenset(_WORDS.split())
#: Programs that are words of English too, or are seldom named in prose.
_MORE = (
    "ansible awk bats bazel behave biome black brew buck bunx cat cd cmake cmp composer conda"
    " coverage cp cypress dart diff direnv docker-compose dune echo egrep elixir env erl export"
    " false file find flake8 flutter fd forge gcc gh ghc git go golangci-lint gradlew grep hatch"
    " helm ionic isort java javac jq julia just kubectl lake lein ls lua luacheck make meson mix"
    " mkdir mocha mv nix node nodejs nx nyc oxlint pdm perl php phpstan pip pip3 pipenv playwright"
    " podman poetry pre-commit prettier printf psql pyright rails rake redis-cli rg rm rustc rustup"
    " sbt scala sed set shellcheck sleep source sqlite3 stack stylelint swift task terraform test"
    " time timeout touch true trunk tsx turbo uvx vale vue-tsc wc wget which xargs xcodebuild"
    " yamllint yq zig zsh ."
)
_CODE = _PLAIN | frozenset(_MORE.split())
_SHELL = r"(?:[A-Z_][A-Z0-9_]*=\S*\s+|!\s+|sudo\s+|time\s+|env\s+)*"
_FIRST = re.compile(rf"{_SHELL}(?P<name>[\w@./~$-]+)(?=\s|$|;)")
#: Begins with what only a shell reads.
_SYNTAX = re.compile(
    r"(?:for|while|until)\s.*(?:;\s*do\b|$)|if\s.*(?:;\s*then\b|$)|\[{1,2}\s.*\]|\("
)
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"")
#: A flag, a pipe, a list of commands.
_SIGN = re.compile(r"(?:^|\s)--?[A-Za-z][\w-]*(?:[=\s]|$)|\s--(?:\s|$)|\s(?:\|\|?|&&)\s|;\s*\S")
#: Words that make a sentence of what begins like a command.
_PROSE = re.compile(
    r",\s|\w[.;]$|(?<![\w./-])(?:and|then|or|should|must|can|is|are|was|it|the|an?(?=\s)|no|not|all|with|without"
    r"|has|have|returns?|shows?|finds?|gives?|yields?|matches|reports|pass(?:es|ed|ing)?|works?|succeeds|succeeded|exits?|fails?|runs?"
    r"|prints?|starts|builds|completes|finishes|installed|available|green|clean|ok)(?![\w/-]|\.\w|\s*=)",
    re.IGNORECASE,
)
#: Behind these stands a name, whatever word it is: `npm run clean`.
_NAMED = re.compile(r"(?:run|exec|dlx)\s+\S+")
#: The verb of a program, also of one that another runs: `npx vitest run`, `bun run vite build`.
_RUNS = re.compile(
    rf"(?:(?:exec|dlx|x)\s+)?(?:(?:{'|'.join(map(re.escape, _CODE))})\s+run(?=\s|\Z)|run(?=\s))"
)
#: A sentence, a quotation, a request, an address, a number.
_NO_COMMAND = re.compile(
    r"[A-Z][a-z]+(?::|\s[a-z])|[\"'\u201c\u2018{]|(?:GET|HEAD|POST|PUT|PATCH|DELETE)\s+\S*/"
    r"|https?://|[0-9]"
)
#: Behind a command: what is expected of it.
_REMARK = re.compile(r"\s\(|\u2192|=>|\bexpect", re.IGNORECASE)
#: One command, or a pipe, behind `!`, and a remark behind it.
_TURNED = re.compile(
    r"^(! (?:[^&|;#\n'\"]|(?<!\|)\|(?!\|)|(?<!\s)\#|'[^'\n]*'|\"[^\"\n]*\")+)(?<!\\)(\s\#.*)?$",
    re.MULTILINE,
)
_JOINING = re.compile(r"(?:\s|[,;&]|\band\b|\bthen\b)*")


def of_text(text: str) -> list[str]:
    """The commands that a text is; none for a sentence, also one with commands in it."""
    if "`" not in text:
        first, _, rest = text.partition(" ")
        plain = (first in _PLAIN and (bool(rest) or first == "pytest")) or re.match(
            r"go (?:test|build|vet)\b|make [\w-]+$|\./\S+(?:\s|$)"
            r"|composer (?:run(?:-script)? )?[\w:-]+$|php (?:artisan|vendor/\S+|bin/\S+)\s",
            text,
        )
        # With a flag, and nothing behind it, also a word of English is a program.
        typed_so = first in _CODE and _SIGN.search(text) and not _REMARK.search(text)
        known = plain or typed_so
        return [text] if known and not _is_prose(text) else []
    spans, between = code_spans(text), text
    for span in spans:
        between = between.replace(f"`{span}`", "", 1)
    if only_code(text) is None and not _JOINING.fullmatch(between):
        return []
    found = [typed(span.strip()) for span in spans]
    return found if all(map(is_command, found)) else []


def of_checkpoint(title: str) -> list[str]:
    """The commands that a checkpoint names in its own words."""
    found = [typed(span.strip()) for span in code_spans(title)]
    return [span for span in found if is_command(span)]


def typed(line: str) -> str:
    """A line without the mark that a terminal puts before it."""
    return line.removeprefix("$ ")


def script(lines: str) -> str:
    """The lines of a code block as one command: it passes where each of them does."""
    several = [line for line in lines.split("\n") if line.strip() and line.strip()[0] != "#"]
    # `set -e` passes over what fails behind `!`.
    lines = _TURNED.sub(_strict, lines) if len(several) > 1 else lines
    return f"set -e\n{lines}" if len(several) > 1 and not several[0].startswith("set ") else lines


def _strict(turned: re.Match[str]) -> str:
    command = turned[1].rstrip()
    return f"{command} || exit 1{turned[0][len(command) :]}"


def is_command(code: str) -> bool:
    """Whether code is a command, and not a sentence, a value, a request or a file's path.

    Of several lines, the first that is no comment says it.
    """
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    line = next((line for line in lines if not line.startswith("#")), "")
    first = _FIRST.match(line)
    if _SYNTAX.match(line):
        return True
    if first is None or _NO_COMMAND.match(line):
        return False
    name = first["name"]
    here = name.startswith(("./", "../", "~/", "$")) or name.endswith((".sh", ".bash"))
    if "/" in name and not here:
        alone = not line[first.end() :].strip()
        here = "bin/" in name if alone else "." not in name.rpartition("/")[2]
    known = here or name in _CODE
    if len(line.split()) == 1:
        return known and not (name.endswith("/") or (not here and paths_in_prose.is_path(name)))
    if _SIGN.search(line, first.end()):
        return known or name == name.lower()
    return known and not _is_prose(line[first.end() :])


def _is_prose(words: str) -> bool:
    """Whether what stands behind a program's name makes a sentence of it."""
    plain = _QUOTED.sub("''", words).strip()
    return not _NAMED.fullmatch(plain) and _PROSE.search(_behind_verb(plain)) is not None


def _behind_verb(words: str) -> str:
    verb = _RUNS.match(words)
    return words[verb.end() :] if verb else words
