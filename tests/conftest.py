"""What holds for every test."""

import gc
import os
import signal
import sys
from collections.abc import Generator

import pytest
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
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is made while tests are collected stays to the end: no collector looks through it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, for `-n auto`
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests often wait for processes."""
    mine = getattr(os, "sched_getaffinity", None)  # not everywhere
    return (len(mine(0)) if mine else os.cpu_count() or 1) + 1
