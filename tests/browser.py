"""A real Chromium without a window, for tests and pictures of the page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

_ARGUMENTS = (
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """The browser; it ends with the context."""
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=[*_ARGUMENTS])
        yield made
        made.close()


def program() -> str:
    """Where Chromium is; the test is skipped without one, but has to have one in CI."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        reason = "chromium is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found
