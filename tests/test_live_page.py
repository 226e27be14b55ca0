"""`report --serve`: the page follows the repository, and answers nobody else."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from world import PATIENCE, Place, World

GRAPH = """\
version: 1
tasks:
  - id: T-1
    title: First
    status: pending

  - id: T-2
    title: Second
    status: pending
    depends_on: [T-1]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.write_graph(GRAPH)
    made.commit()
    return made


@contextmanager
def served(place: Place) -> Iterator[tuple[str, int]]:
    """The address and the port of a page that is served."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ralphgit", "report", "--serve"],
        cwd=place.path, env=place.environ, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert found is not None, said + process.stderr.read()
        yield found[0], int(found[1])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130


def asked(port: int, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def test_it_answers_this_page_alone(world: World) -> None:
    before = world.state()
    with served(world) as (_, port):
        answer = asked(port)
        page = answer.read().decode()
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        assert "connect-src 'self'" in page and "default-src 'none'" in page
        for headers in (
            {"Host": "evil.example"},
            {"Host": f"evil.example:{port}"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        ):
            assert asked(port, **headers).status == 403
            assert asked(port, "/events", **headers).status == 403
        assert asked(port, "/etc/passwd").status == 404
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        connection.request("POST", "/", body="x")
        assert connection.getresponse().status == 501
    assert world.state() == before, "it only looks"


def test_events_tell_of_changes_and_logs(world: World) -> None:
    alpha = world.worktree("alpha")
    with served(world) as (_, port):
        events = asked(port, "/events")
        assert events.headers["Content-Type"] == "text/event-stream"

        def until_line(wanted: str) -> str:
            while True:
                line = events.readline().decode()
                assert line, "the stream has ended"
                if wanted in line:
                    return line

        until_line("event: page")
        first = events.readline()
        claim = alpha.claim("T-1")
        alpha.write(f".ralph/logs/T-1-{claim}.log", "reading the code\n")
        until_line("event: page")
        assert events.readline() != first
        assert '"task": "T-1"' in until_line("reading the code")
        assert "alpha" in asked(port).read().decode()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--serve", "page.html"), "writes no file"),
        (("--serve", "--port", "70000"), "1 to 65535"),
        (("--port", "8080"), "is of --serve"),
    ],
)
def test_what_makes_no_sense_with_it(world: World, words: tuple[str, ...], said: str) -> None:
    assert said in world.refused("report", *words, code="usage", exit=2)["message"]


def test_a_port_that_is_taken(world: World) -> None:
    with served(world) as (_, port):
        told = world.ralph("report", "--serve", "--port", str(port), "--json", apart=True)
    assert (told.code, told.error) == (1, "port_taken")


@pytest.mark.slow
def test_the_browser_shows_what_happens(world: World) -> None:
    from browser import chromium, program
    from playwright.sync_api import expect

    expect.set_options(timeout=PATIENCE * 1000)
    alpha = world.worktree("alpha")
    with chromium(program()) as browser, served(world) as (url, _):
        said: list[str] = []
        page = browser.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url)
        page.click("#tab-tasks")
        expect(page.locator("#workers")).to_be_hidden()
        claim = alpha.claim("T-1")
        expect(page.locator("#workers")).to_contain_text("alpha")
        expect(page.locator("#tasks li").first).to_contain_text("claimed")
        expect(page.locator("#tab-tasks")).to_have_attribute("aria-selected", "true")
        alpha.write(f".ralph/logs/T-1-{claim}.log", "<script>alert(1)</script>\n")
        expect(page.locator("#logs pre")).to_have_text("<script>alert(1)</script>")
        alpha.write("a.txt", "a\n")
        alpha.complete()
        expect(page.locator("#tasks li").first).to_contain_text("in-review")
        page.close()
        assert said == []
