"""`python -m demo`: exit code 0 only if all of it really happened."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait

from demo import scenes
from demo.narrator import Narrator
from demo.stage import Stage, Surprise

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AWAKE_S = 0.1


class Ended(BaseException):
    """A signal that ends the demo."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main() -> int:
    """Play the demo in a temporary folder and remove the folder, however it ends."""
    # Held back until the folder is known to whoever has to remove it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    folder = os.path.realpath(tempfile.mkdtemp(prefix="ralphgit-demo-"))
    try:
        for number in _SIGNALS:
            signal.signal(number, _end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        _play(folder)
        return 0
    except Surprise as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    except Ended as error:
        print("The demo was stopped.", file=sys.stderr)
        return 128 + error.number
    except BrokenPipeError:
        # Whoever read the story has gone, `head` for one; say nothing more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    finally:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        shutil.rmtree(folder, ignore_errors=True)
        if os.path.exists(folder):
            print(f"The demo could not remove {folder}", file=sys.stderr)


def _play(folder: str) -> None:
    """Play it in a thread, so that a signal, which Python raises in the main one, never falls
    between the start of a program and the note that it runs. Nothing runs any more after this.
    """
    stage = Stage(folder, os.environ)
    narrator = Narrator(sys.stdout, environ=os.environ)
    with ThreadPoolExecutor(max_workers=1) as pool:
        try:
            story = pool.submit(scenes.play, stage, narrator)
            # Not in one go: the system may hand a signal to another thread, and then Python
            # sees to it here once this one is awake.
            while not wait([story], timeout=_AWAKE_S).done:
                pass
            story.result()
        finally:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            stage.stop()


def _end(number: int, _frame: object) -> None:
    raise Ended(number)


if __name__ == "__main__":
    sys.exit(main())
