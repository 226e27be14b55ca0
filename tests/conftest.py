"""What holds for every test."""

import gc
import importlib
import os
import signal
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import pytest
import slow
from hypothesis import HealthCheck, settings

# A test run under nohup or in a script's background would hand its deafness to hang-ups and
# interrupts on to what the tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

_MEMORY = "/dev/shm"
_ROOM = 2 << 30


def _is_fit(folder: str) -> bool:
    """Whether repositories can be made, and programs run, in a folder that is kept in memory."""
    if sys.platform != "linux" or not os.access(folder, os.W_OK | os.X_OK):
        return False
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize > _ROOM and not found.f_flag & os.ST_NOEXEC


# Thousands of small repositories, whose records are flushed to the disk: an eighth of the time.
if _is_fit(_MEMORY):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", _MEMORY)


# How long an example takes is a matter of what else the machine does.
settings.register_profile(
    "all", max_examples=slow.EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", settings.get_profile("all"), max_examples=slow.EXAMPLES // 4)


def pytest_configure(config: pytest.Config) -> None:
    """Of each property `just test` tries but a part of the examples."""
    settings.load_profile("quick" if config.option.markexpr == "not slow" else "all")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is made while tests are collected stays to the end: no collector looks through it."""
    gc.disable()
    try:
        _share_the_rewriting(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _share_the_rewriting(config: pytest.Config) -> None:
    """Have each worker begin with other modules, and find the rest rewritten by the others.

    In a fresh checkout the asserts of all modules are rewritten, which takes longer than to
    collect the tests; side by side and in the same order each worker would do all of it.
    """
    worker = getattr(config, "workerinput", None)  # of pytest-xdist
    if worker is None or config.args != config.getini("testpaths"):
        return
    names = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py"))
    first = len(names) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
    for name in names[first:] + names[:first]:
        with suppress(Exception, pytest.skip.Exception):  # told when the module is collected
            importlib.import_module(name)


@pytest.hookimpl(tryfirst=True)  # before those that are not wanted are left out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep nine tenths of all tests in `just test`."""
    slow = sum(item.get_closest_marker("slow") is not None for item in items)
    if config.args == config.getini("testpaths") and 10 * slow > len(items):
        raise pytest.UsageError(
            f"{slow} of {len(items)} tests are marked slow, and a tenth may be: "
            "unmark those that take the least processor time"
        )


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, for `-n auto`
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests often wait for processes."""
    mine = getattr(os, "sched_getaffinity", None)  # not everywhere
    return (len(mine(0)) if mine else os.cpu_count() or 1) + 1
