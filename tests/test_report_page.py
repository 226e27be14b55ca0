"""The page in a real browser: it draws, finds, shows, and stays at home."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from bench import graphs
from browser import chromium, program
from playwright.sync_api import Browser, Dialog, Page, expect
from test_report import GRAPH, HOSTILE
from world import World

#: More than any of it takes on a machine with other things to do.
PATIENCE_MS = 120_000
#: Milliseconds until 2,000 tasks are drawn, and for one frame while they are moved: the slowest of
#: all but one in ten. `just fluid` holds to what a person would feel; here other tests run beside.
FIRST_DRAW_MS, SLOWEST_FRAME_MS = (5000, 250) if "RALPHGIT_FLUID" in os.environ else (40_000, 2000)

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(program()) as made:
        yield made


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page in which one task is held, and one is blocked with a question."""
    world = World(tmp_path_factory.mktemp("page"))
    world.write_graph(GRAPH)
    world.commit("The graph")
    alpha, beta = world.worktree("alpha"), world.worktree("beta")
    alpha.claim("T-1", "--no-fetch")
    beta.claim("T-3", "--no-fetch")
    asks = ("--reason", "needs_context", "--question", HOSTILE)
    assert beta.ralph("block", *asks).code == 0
    made = world.folder / "page.html"
    assert world.ralph("report", str(made)).code == 0
    return made


@contextmanager
def opened(browser: Browser, file: Path, *, scheme: str = "light") -> Iterator[Page]:
    """The page as a reader has it. It may ask for nothing and complain of nothing."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", dismissed)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert said == []
    assert set(asked) == {file.as_uri()}
    context.close()


def focused(page: Page) -> str:
    """What has the focus: its id, else its text."""
    found = page.evaluate("document.activeElement.id || document.activeElement.textContent")
    return str(found)


@pytest.mark.slow
def test_it_draws_finds_and_shows(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file) as page:
        node = page.locator("#node-T-1")
        expect(node).to_be_visible()
        assert page.locator(".node").count() == 3
        expect(page.locator("text.alone")).to_have_text("Without dependencies, in any order")
        assert node.get_attribute("aria-label") == "T-1, Write the greeting, claimed"
        node.click()
        panel = page.locator("#panel")
        expect(panel.locator("h2")).to_have_text("Write the greeting")
        expect(panel).to_contain_text("ACC-1 it says hello")
        expect(panel).to_contain_text("alpha, worktree ../proj-alpha")
        panel.get_by_role("link", name="T-2").click()
        # A hostile title is text: in the picture, in the lists, in the panel, in a question.
        expect(panel.locator("h2")).to_contain_text("<img src=x onerror=alert(2)> \\u202egnp")
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 2
        expect(page.locator("#needs .message")).to_contain_text("</script>")
        page.go_back()
        expect(panel.locator("h2")).to_have_text("Write the greeting")
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()

        page.fill("#query", "alpha greet")
        expect(page.locator("#told")).to_have_text("1 of 3 tasks")
        expect(page.locator("#node-T-2")).to_have_class("node waiting dim")
        page.press("#query", "Enter")
        expect(panel.locator("h2")).to_have_text("Write the greeting")
        page.fill("#query", "")
        page.locator("[data-state=blocked]").click()
        expect(page.locator("#told")).to_have_text("1 of 3 tasks")
        page.locator("#tab-tasks").click()
        assert page.locator("#tasks > li:visible .id").all_text_contents() == ["T-3"]
        page.locator("#tab-attempts").click()
        assert page.locator("#attempts > li").count() == 1
        page.locator("[data-state=blocked]").click()
        words = page.locator("#attempts > li .chip").all_text_contents()
        assert words == ["in progress", "blocked"]
        page.select_option("#worker", "beta")
        assert page.locator("#attempts .id").all_text_contents() == ["T-3"]
        unnamed = page.evaluate("""() => [...document.querySelectorAll(
            "a, button, input, select, summary, [role=tab], [role=button], [tabindex='0']")]
            .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() ||
                (one.labels && one.labels.length))).map((one) => one.outerHTML)""")
        assert unnamed == []
        # In a list beside the panel, or in a small window, a title keeps its place.
        page.select_option("#worker", "")
        for width, tab in ((1000, "tasks"), (400, "attempts"), (400, "tasks")):
            page.set_viewport_size({"width": width, "height": 700})
            page.locator(f"#tab-{tab}").click()
            if width == 1000:
                page.locator("#tasks a").first.click()
                expect(panel).to_be_visible()
            else:
                page.keyboard.press("Escape")
            told = page.locator(f"#{tab} > li .what").first.bounding_box()
            assert told is not None
            assert told["width"] > 90
            assert told["x"] + told["width"] <= width
            view = page.locator(f"#view-{tab}")
            assert view.evaluate("(one) => one.scrollWidth <= one.clientWidth")


@pytest.mark.slow
def test_without_scripts_there_is_a_list(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("#tasks > li:visible").count() == 3
    assert page.locator("#needs code:visible").all_text_contents() == ['ralphgit reply T-3 "TEXT"']
    assert page.locator("button:visible, input:visible").count() == 3, "the counts alone"
    context.close()


@pytest.mark.slow
def test_the_keyboard_is_enough(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file, scheme="dark") as page:
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert dark == "rgb(13, 17, 23)"
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the tasks"
        page.keyboard.press("Enter")
        for _ in range(2):
            page.keyboard.press("Tab")
        assert focused(page) == "graph"
        page.keyboard.press("ArrowRight")
        assert page.get_attribute("#graph", "aria-activedescendant") == "node-T-1"
        page.keyboard.press("ArrowRight")
        expect(page.locator("#node-T-2")).to_have_class("node waiting here")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        expect(page.locator("#panel-title")).to_have_text("Write the greeting")
        assert focused(page) == "panel"
        page.keyboard.press("Escape")
        assert focused(page) == "graph"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("ArrowRight")
        assert focused(page) == "tab-tasks"
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.locator("#panel-title")).to_have_text("Ask somebody")
        page.keyboard.press("/")
        assert focused(page) == "query"
        page.locator("#theme").click()
        light = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert light == "rgb(255, 255, 255)"


#: Moves the picture in every frame for a second, and says how long each frame took.
_MOVE = """async (what) => {
  const times = [], canvas = document.getElementById("graph");
  const turn = (at) => what === "zoom"
    ? zoom(at % 40 < 20 ? 1.15 : 1 / 1.15) : pan(at % 40 < 20 ? 25 : -25, at % 20 < 10 ? 12 : -12);
  let last = performance.now();
  for (let at = 0; at < 60; at++) {
    turn(at);
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times.slice(1).sort((a, b) => a - b);
}"""


@pytest.mark.slow
def test_two_thousand_tasks_stay_fluid(browser: Browser, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.write_graph(graphs.files(2000)["task-graph.yaml"])
    world.commit("The graph")
    file = tmp_path / "page.html"
    assert world.ralph("report", str(file)).code == 0
    for name, value in measured(browser, file).items():
        print(f"{name}: {value:.0f} ms")
        assert value < (FIRST_DRAW_MS if name == "first draw" else SLOWEST_FRAME_MS), name


def measured(browser: Browser, file: Path) -> dict[str, float]:
    """Milliseconds: until it is drawn first, and the frames (9 of 10 are faster) while it moves."""
    found: dict[str, float] = {}
    with opened(browser, file) as page:
        expect(page.locator("path.far").first).to_be_attached()
        found["first draw"] = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        )
        for name, before in {"far": "all()", "near": "view.k = 0.6; redraw()"}.items():
            page.evaluate(before)
            for what in ("pan", "zoom"):
                times = page.evaluate(_MOVE, what)
                found[f"{what}, {name}"] = times[int(len(times) * 0.9)]
        page.evaluate("all()")
        times = page.evaluate("""async () => {
          const times = [];
          for (const word of ["c", "ca", "cac", "cache", "cache da", "alpha", "S-0003", ""]) {
            const begin = performance.now();
            query.value = word;
            search();
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - begin);
          }
          return times.sort((a, b) => a - b);
        }""")
        found["search"] = times[-2]
        page.fill("#query", "T-0050-03")
        page.press("#query", "Enter")
        expect(page.locator("#node-T-0050-03")).to_have_class("node complete here")
    return found
