"""Tell commands that run until somebody stops them: servers, watchers, previews."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
#: These run the command behind them.
_BEFORE = "sudo time env nohup exec command ! xvfb-run dotenv npx bunx pnpx uvx bash sh"
#: The same with a word of their own: `uv run pytest`.
_RUNNERS = {
    **dict.fromkeys(("uv", "poetry", "pipenv", "pdm", "rye", "hatch", "conda"), "run"),
    **dict.fromkeys(("bundle", "mise", "direnv"), "exec"),
}
_PACKAGES = frozenset({"npm", "pnpm", "yarn", "bun"})
#: Of package managers: which package or folder is meant; what stands behind is its name.
_WHERE = frozenset({
    "--filter", "-F", "-C", "--dir", "--prefix", "--cwd", "--workspace", "--package", "-p",
})  # fmt: skip
_RUN = frozenset({"run", "run-script", "exec", "dlx", "x"})
_SCRIPTS = frozenset({"dev", "develop", "start", "serve", "watch", "preview", "storybook"})
_ENDING = frozenset({"build", "test", "check", "lint"})
#: Programs that always run on, but for the verbs that end.
_SERVERS = (
    "serve http-server live-server json-server nodemon ts-node-dev webpack-dev-server vite parcel"
    " uvicorn gunicorn hypercorn daphne http.server sphinx-autobuild ptw pytest-watch rackup puma"
    " start-storybook watch watchexec entr air ngrok redis-server"
)
_ENDS = {"vite": frozenset({"build", "optimize"}), "parcel": frozenset({"build"})}
_WITH_SCRIPTS = (
    "turbo nx lerna moon next nuxt nuxi astro remix gatsby react-scripts vue-cli-service ng webpack"
    " expo react-native docusaurus wrangler vercel netlify tauri mkdocs jekyll trunk tsx vitest"
    " skaffold foreman overmind"
)
_VERBS = {
    **dict.fromkeys(_WITH_SCRIPTS.split(), _SCRIPTS),
    **dict.fromkeys(("manage.py", "django-admin"), frozenset({"runserver"})),
    "flask": frozenset({"run"}),
    "fastapi": frozenset({"dev", "run"}),
    "streamlit": frozenset({"run"}),
    "celery": frozenset({"worker", "beat"}),
    "jupyter": frozenset({"notebook", "lab"}),
    "rails": frozenset({"s", "server"}),
    "hugo": frozenset({"server", "serve"}),
    "artisan": frozenset({"serve"}),
    "symfony": frozenset({"serve", "server:start"}),
    "mix": frozenset({"phx.server"}),
    "cargo": frozenset({"watch"}),
    "dotnet": frozenset({"watch"}),
    "flutter": frozenset({"run"}),
    "gradle": frozenset({"bootRun"}),
    "gradlew": frozenset({"bootRun"}),
    "mvn": frozenset({"spring-boot:run"}),
    "mvnw": frozenset({"spring-boot:run"}),
    "kubectl": frozenset({"port-forward"}),
}  # fmt: skip
_MADE = frozenset({"make", "just", "task"})
_TARGET = re.compile(
    r"dev|serve|watch|runserver|(?:run|start|dev)[-_:](?:dev|server)|(?:dev|server)[-_:](?:run|start)"
)
#: With these, containers are started and the command ends.
_DETACHED = re.compile(r"\s(?:-d|--detach|--wait|--abort-on-container-\w+|--exit-code-from)\b")
_WATCHES = re.compile(r"\s--(?:watch(?:-?all)?|hot)(?=\s|\Z|=true)(?!\s+false\b)", re.IGNORECASE)
_ONLY_SAYS = re.compile(r"\s(?:--help|--version|-h|-V)\b")
#: A script of the project, which may run the command behind it.
_SCRIPT = re.compile(r"(?:.*/)?[\w.-]+\.(?:sh|bash)|(?:\./|scripts?/|bin/).*")
_QUOTES = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"", re.DOTALL)


def runs_on(unit: str) -> bool:
    """Whether one of the commands in a line never ends by itself."""
    plain = _QUOTES.sub("''", unit.replace("\\\n", " "))
    return any(map(_never_ends, re.split(r"&&|\|\||[;|&\n()]", plain)))


def only_says(command: str) -> bool:
    """Whether a command only tells how a program is used, or its version."""
    return _ONLY_SAYS.search(command) is not None


def _never_ends(command: str) -> bool:
    command = re.sub(r"\s#.*", "", command)
    if only_says(command):
        return False
    if _WATCHES.search(command):
        return True
    words = _last_program(command.split())
    if not words:
        return False
    program, *rest = words
    named = [word for word in rest if not word.startswith("-")]
    if program == "php" and "-S" in rest:
        return True
    if {"-f", "--follow"} & {*rest} and (program == "tail" or "logs" in named):
        return True
    if program == "docker-compose" or (program in ("docker", "podman") and "compose" in named):
        return "up" in named and not _DETACHED.search(command)
    if program == "tsc":
        return "-w" in rest
    if program in _SERVERS.split():
        return not _ENDS.get(program, frozenset()).intersection(named[:1])
    if program in _MADE:
        return any(map(_TARGET.fullmatch, named))
    return not _VERBS.get(program, frozenset()).isdisjoint(named)


def _last_program(words: Sequence[str]) -> list[str]:
    """The program that is run in the end, and its words: without those that run another one.

    A script of a package that is called as servers are is `serve`; another one is nothing.
    """
    left = list(words)
    while left:
        program = left[0].rpartition("/")[2]
        if _ASSIGNED.match(left[0]) or program in _BEFORE.split():
            left = _behind_flags(left[1:])
        elif program == "timeout":
            left = _behind_flags(left[1:])[1:]
        elif program in _RUNNERS and _RUNNERS[program] in left[1:]:
            left = _behind_flags(left[left.index(_RUNNERS[program]) + 1 :])
        elif re.fullmatch(r"python[0-9.]*|py|php", program) and "-S" not in left:
            left = _behind_flags(left[1:])
        elif program in _PACKAGES:
            return _script(program, left[1:])
        elif _runs_next(left):
            left = _behind_flags(left[1:])
        else:
            return [program, *left[1:]]
    return []


def _runs_next(words: Sequence[str]) -> bool:
    """Whether a script runs the command behind it: one that is not called as a check is."""
    program, behind = words[0].rpartition("/")[2], _behind_flags(words[1:])
    if not behind or not _SCRIPT.fullmatch(words[0]) or program in _VERBS:
        return False
    known = {*_PACKAGES, *_VERBS, *_RUNNERS, *_MADE, *_SERVERS.split(), *_BEFORE.split()}
    return behind[0] in known and _ENDING.isdisjoint(re.split(r"[._-]", program))


def _script(program: str, words: Sequence[str]) -> list[str]:
    """The program that a package manager runs; `serve` for a script that runs on."""
    left, asked = _behind_flags(words, _WHERE | ({"-w"} if program == "npm" else frozenset())), ""
    while left and (left[0] in _RUN or left[0] == "workspace"):
        asked = left[0]
        left = _behind_flags(left[2 if asked == "workspace" else 1 :], _WHERE)
    if not left:
        return []
    if asked not in ("exec", "dlx", "x"):
        parts = re.split(r"[:_-]", left[0])
        if {parts[0], parts[-1]} & _SCRIPTS and not ({*parts} & _ENDING and parts[-1] != "watch"):
            return ["serve"]
        # A script that is called as a server is, or this itself: `bun run vite`.
        if (asked.startswith("run") or program == "npm") and left[0] not in _SERVERS.split():
            return []
    return _last_program(left)


def _behind_flags(words: Sequence[str], with_value: frozenset[str] = frozenset()) -> list[str]:
    """The words behind flags, `--` and what assigns a variable."""
    left = list(words)
    while left and (left[0].startswith("-") or _ASSIGNED.match(left[0])):
        left = left[2 if left[0] in with_value else 1 :]
    return left
