"""Start `ralphgit` and `git ralph`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ralphgit.cli import fast_argv, render
from ralphgit.errors import Bug, RalphError, Refused

if TYPE_CHECKING:
    from ralphgit.app.workspace.surroundings import Progress

_INTERRUPTED, _PIPE_CLOSED = 130, 141
_INTERRUPTED_WORD = "interrupted"
#: What asks a person, draws on the terminal or prints as it goes shows no line of its own.
_ON_SCREEN = frozenset({"board", "fleet", "logs", "mcp", "run", "trust", "worker"})


class Terminated(BaseException):
    """SIGTERM or SIGHUP, raised where the program is, so that what was begun is undone."""

    code, word = 143, "terminated"


class HungUp(Terminated):
    """SIGHUP: the terminal was closed."""

    code, word = 129, "hung up"


def main() -> None:
    """Run the command line and exit with its code."""
    # A short life: collecting cycles while a graph loads makes the loading 3 times slower.
    gc.disable()
    code = run(sys.argv[1:])
    sys.stderr.flush()
    # Taking 10,000 tasks apart would be an eighth of `next`.
    os._exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit code of SPEC 6."""
    import signal

    def terminate(_signal: int, _frame: object) -> None:
        raise Terminated

    def hang_up(_signal: int, _frame: object) -> None:
        # The kernel and the shell may each send one, and undoing is not to be interrupted.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        raise HungUp

    signal.signal(signal.SIGTERM, terminate)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup's wish
        signal.signal(signal.SIGHUP, hang_up)
    _open_streams()
    return answer(arguments)


def answer(arguments: Sequence[str]) -> int:
    """Run one command line with the process's signals left alone; the exit code of SPEC 6."""
    escape_unencodable()
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        _last_word(_INTERRUPTED_WORD)
        return _INTERRUPTED
    except Terminated as error:
        _last_word(error.word)
        return error.code
    except BrokenPipeError:
        # The reader of the output has gone, `head` for one; stay silent, as git does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"error: cannot write the output: {error.strerror}", file=sys.stderr)
        return 1


def _last_word(text: str) -> None:
    """Say why the program ends, if stderr is still open."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def _open_streams() -> None:
    """Open the standard streams that were closed for us, as git does.

    Else the next file that is opened would get their number, and what is printed.
    """
    for fd, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), fd)
            mode = "r" if fd == 0 else "w"
            setattr(sys, name, os.fdopen(fd, mode, encoding="utf-8", closefd=False))


def escape_unencodable() -> None:
    """Have characters that the streams' encoding has not got printed escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def _run(arguments: Sequence[str]) -> int:
    name = os.path.basename(sys.argv[0])
    program = "git ralph" if name == "git-ralph" else "ralphgit"
    line = fast_argv.read(arguments)
    if line is None:
        if "_RALPHGIT_COMPLETE" in os.environ or "_GIT_RALPH_COMPLETE" in os.environ:
            return _complete_word(program)
        from contextlib import nullcontext, redirect_stdout
        from io import StringIO

        from ralphgit.cli import click_application

        screen = _screen({"json": "--json" in arguments, "no_color": "--no-color" in arguments})
        help = StringIO()
        try:
            with redirect_stdout(help) if screen.json else nullcontext():
                found = click_application.read(arguments, program)
        except RalphError as error:
            render.fail(error, fast_argv.verb(arguments) or "ralphgit", (), screen)
            return error.exit_code
        if isinstance(found, int):
            if screen.json:
                print(render.envelope(*_helped(help.getvalue()), (), None))
            return found
        line = found
    return _command(line)


def _helped(text: str) -> tuple[str, dict[str, str]]:
    """Return the kind and the data of what click has printed: the version, or help."""
    from ralphgit import __version__

    if text == f"ralphgit {__version__}\n":
        return "version", {"version": __version__}
    return "help", {"text": text}


def _complete_word(program: str) -> int:
    from click.shell_completion import shell_complete

    from ralphgit.cli import click_application, completion_scripts

    completion_scripts.register()
    names = ("_RALPHGIT_COMPLETE", "_GIT_RALPH_COMPLETE")
    variable = next(name for name in names if name in os.environ)
    return shell_complete(
        click_application.program(program), {}, program, variable, os.environ[variable]
    )


def _screen(options: Mapping[str, object]) -> render.Screen:
    environ, terminal = os.environ, sys.stdout.isatty()
    able = bool(environ.get("FORCE_COLOR")) or (terminal and environ.get("TERM") != "dumb")
    colour = able and not (options.get("no_color") or environ.get("NO_COLOR"))
    json, quiet, verbose = (bool(options.get(name)) for name in ("json", "quiet", "verbose"))
    return render.Screen(json, quiet, verbose, terminal, colour)


def _worker_guard(line: fast_argv.Line, environ: Mapping[str, str]) -> Callable[[Any], None] | None:
    """Return what refuses the line in a project where a worker of a loop gives it, if it is none
    for a worker.

    Raises: GuardRefused (in_loop, worker_consents) where the environment says so already.
    """
    from ralphgit.rules import in_a_loop

    barred = in_a_loop.barred(line.command, line.options)
    if barred is None and not in_a_loop.changes_its_worktree(line.command, line.options):
        return None
    from ralphgit.app.workspace import inside_loop

    if barred is None:
        return inside_loop.refuse_elsewhere
    if inside_loop.told(environ):
        raise inside_loop.refusal(barred)
    return lambda project: inside_loop.refuse_barred(project, barred)


def _progress(screen: render.Screen) -> Progress:
    """The progress of one command: a program that reads --json is told nothing beside it."""
    from ralphgit.app.workspace.surroundings import Progress

    if screen.quiet or (screen.json and not sys.stderr.isatty()):
        return Progress()
    from ralphgit.cli.progress_line import ProgressLine

    return ProgressLine(sys.stderr)


def _cut_short(ended: BaseException) -> RalphError:
    """The object for programs of a command that a signal has ended."""
    word, code = _INTERRUPTED_WORD, _INTERRUPTED
    if isinstance(ended, Terminated):
        word, code = ended.word, ended.code
    error = RalphError(word, code=word.replace(" ", "_"), hint="repeat the command")
    error.exit_code = code
    return error


def _command(line: fast_argv.Line) -> int:
    from contextlib import nullcontext
    from importlib import import_module

    from ralphgit.app.workspace.surroundings import begin, leave
    from ralphgit.cli import command_call
    from ralphgit.cli.command_table import COMMANDS, module_of

    screen = _screen(line.options)
    warnings: list[str] = []
    told = False
    try:
        command = COMMANDS[line.command]
        flags = command_call.settings(command, line.options)
        around = command_call.surroundings(line.options.get("directory"), flags)
        # What only looks is for everybody, and is to begin soon.
        guard = None
        if command.group != "look":
            from ralphgit.rules import in_a_loop

            guard = _worker_guard(line, around.environ)
            around = around._replace(may_land=in_a_loop.may_land(line.command, line.options))
        if not command.outside:
            around = begin(around, claims=command.claims)
        module = import_module(module_of(line.command))
        options = command_call.options(command, module.Options, line.options)
        progress = _progress(screen)
        call = command_call.Call(around._replace(progress=progress), warnings, screen, guard)
        with nullcontext() if line.command in _ON_SCREEN else progress.step(line.command):
            outcome = module.run(call, options)
        told = True
        render.show(outcome, line.command, warnings, screen)
        return outcome.error.exit_code if outcome.error else 0
    except RalphError as error:
        render.fail(error, line.command, warnings, screen)
        if screen.verbose and isinstance(error, Bug):
            raise
        return error.exit_code
    except (KeyboardInterrupt, Terminated) as ended:
        if screen.json and not told:
            render.fail(_cut_short(ended), line.command, warnings, screen)
            sys.stdout.flush()
        raise
    except BrokenPipeError:
        raise
    except OSError as error:  # what no caller had a better message for: not a bug of ours
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
        hint = "fix what the system complains of, then repeat the command"
        refusal = Refused(what, code="system", hint=hint)
        render.fail(refusal, line.command, warnings, screen)
        return refusal.exit_code
    except Exception as error:  # the last resort, so that no traceback meets a user: our bug
        bug = Bug(f"a bug in ralphgit: {type(error).__name__}: {error}")
        render.fail(bug, line.command, warnings, screen)
        if screen.verbose:
            import traceback

            traceback.print_exc()
        return bug.exit_code
    finally:
        leave()
