"""`python -m screenshots [FOLDER]`: take the screenshots that the README shows; into docs/images.

The scene is made anew each time, with its own clock. What differs although nothing has changed is
the id of the base's commit, because evidence says how long its commands took.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from browser import chromium, program
from playwright.sync_api import Browser, ViewportSize
from scene import NOW, Scene, build
from world import ROOT

from screenshots import board

_SIZE: ViewportSize = {"width": 1280, "height": 800}


def main() -> None:
    reader = argparse.ArgumentParser(prog="screenshots", description=__doc__)
    reader.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "images")
    folder = reader.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        scene = build(Path(scratch))
        with chromium(program()) as browser:
            taken = [*report(scene, browser, folder), *board.pictures(scene, browser, folder)]
        for path in taken:
            print(f"{path}: {path.stat().st_size // 1024} KB")


def report(scene: Scene, browser: Browser, folder: Path) -> list[Path]:
    """The page by day, and by night with a task beside the graph."""
    page = scene.main.folder / "report.html"
    scene.ralph(NOW, scene.main, "report", str(page))
    return [
        _taken(browser, page, "", "light", folder / "report.png"),
        _taken(browser, page, "#ST-103", "dark", folder / "report-task.png"),
    ]


def _taken(browser: Browser, file: Path, task: str, scheme: str, picture: Path) -> Path:
    context = browser.new_context(
        viewport=_SIZE,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(file.as_uri() + task)
    # Two frames: what was asked for has been laid out and painted.
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    page.screenshot(path=picture)
    context.close()
    return picture


if __name__ == "__main__":
    main()
