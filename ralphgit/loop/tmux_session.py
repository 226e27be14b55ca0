"""Control the fleet's tmux session: detached, a window for each worker, closed with the last.

Through libtmux, which is loaded when it is needed and may be missing, as tmux may.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import signal
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ralphgit.errors import GuardRefused, Refused
from ralphgit.model.extras import install

if TYPE_CHECKING:
    from libtmux import Server, Session

#: A session's own option that says which repository it is of: the path of its git folder.
_OWNER = "@ralphgit"
_SIZE = (200, 50)


class Window(NamedTuple):
    id: str
    name: str
    pid: int
    dead: bool
    """Its program has ended, and the window stays."""


def missing() -> str:
    """Return which program or package a session needs and does not have; "" if it has all."""
    if shutil.which("tmux") is None:
        return "tmux"
    return "" if importlib.util.find_spec("libtmux") else "libtmux"


def session_name(server: Server, repository: str, git_dir: str) -> str:
    """Return the name for a new session: the repository's, made unique among the sessions."""
    name = "ralphgit-" + re.sub(r"[^A-Za-z0-9_-]", "_", repository)
    if all(session.session_name != name for session in server.sessions):
        return name
    return f"{name}-{hashlib.sha256(os.fsencode(git_dir)).hexdigest()[:6]}"


def _octal(path: str) -> str:
    """A path for `printf` of a shell, with nothing in it that tmux or `strftime` would read."""
    return re.sub(rb"[^\w/.-]", lambda odd: b"\\\\%03o" % ord(odd[0]), os.fsencode(path)).decode()


class Fleet:
    """The session of one repository, which may not exist."""

    def __init__(self, repository: str, git_dir: str) -> None:
        """Raises: GuardRefused (no_tmux)."""
        if lacking := missing():
            how = install("fleet") if lacking == "libtmux" else "apt install tmux"
            message = f"{lacking} is not installed (fleet up --no-tmux needs none)"
            raise GuardRefused(message, code="no_tmux", hint=how)
        import libtmux

        self._repository, self._git_dir = repository, git_dir
        self._server = libtmux.Server()
        self._session = self._find()

    def _find(self) -> Session | None:
        for session in self._server.sessions:
            if session.cmd("show-options", "-qv", _OWNER).stdout == [self._git_dir]:
                return session
        return None

    @property
    def name(self) -> str:
        """What the session is called; "" where there is none."""
        return (self._session.session_name or "") if self._session is not None else ""

    def windows(self) -> list[Window]:
        if self._session is None:
            return []
        form = "#{window_id}:#{pane_pid}:#{pane_dead}:#{window_name}"
        found = []
        for line in self._session.cmd("list-panes", "-s", "-F", form).stdout:
            identity, pid, dead, name = line.split(":", 3)
            found.append(Window(identity, name, int(pid), dead == "1"))
        return found

    def open(self, name: str, folder: str, words: Sequence[str], log: str) -> int:
        """Run `words` in a new window, and keep what they print in `log`; their process id.

        They go to the folder themselves: it is what other windows of the session begin in.

        Raises: Refused (tmux).
        """
        from libtmux.exc import LibTmuxException

        command = "exec " + shlex.join(words)
        folder = folder if "#" not in folder else "/"  # tmux runs `#(command)`
        try:
            if self._session is None:
                self._session = session = self._server.new_session(
                    session_name(self._server, self._repository, self._git_dir),
                    attach=False, start_directory=folder, window_name=name,
                    window_command=command, x=_SIZE[0], y=_SIZE[1],
                )  # fmt: skip
                session.cmd("set-option", _OWNER, self._git_dir)
                window = session.windows[0]
            else:
                window = self._session.new_window(
                    name, start_directory=folder, attach=False, window_shell=command
                )
            window.cmd("set-option", "-w", "remain-on-exit", "off")
            window.cmd("pipe-pane", f'exec cat >> "$(printf {_octal(log)})"')
            told = window.cmd("display-message", "-p", "#{pane_pid}").stdout
        except LibTmuxException as error:
            why = " ".join(map(str, error.args)) or type(error).__name__
            hint = "ralphgit fleet up --no-tmux starts the loops in the background"
            raise Refused(f"tmux cannot open a window: {why}", code="tmux", hint=hint) from error
        if not told or not told[0].isdigit():
            raise Refused(
                f"the window of {name} closed at once", code="tmux",
                hint="ralphgit fleet up --no-tmux starts it in the background",
            )  # fmt: skip
        return int(told[0])

    def close_if_empty(self) -> str:
        """End the session unless a program still runs in it; its name if it is gone now."""
        name = self.name
        self._session = self._find()
        if self._session is None:
            return name
        if all(window.dead for window in self.windows()):
            self._session.kill()
            self._session = None
            return name
        return ""

    def attach(self, window: Window | None) -> NoReturn:
        """Become `tmux attach`; inside tmux, have its client switch to the session."""
        assert self._session is not None
        if window is not None:
            self._session.cmd("select-window", target=window.id)
        verb = "switch-client" if os.environ.get("TMUX") else "attach-session"
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp("tmux", ["tmux", verb, "-t", f"={self.name}"])
