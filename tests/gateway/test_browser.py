"""The dashboard in a real browser: on a phone, by keyboard alone, with nothing fetched from elsewhere."""

import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from tests.gateway.house import QUESTIONS, house
from tests.gateway.test_dashboard import ready, waiting
from tests.gateway.test_living import quick
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.assembly.session import Models
from toolmint.core.model import ModelRequest
from toolmint.models.scripted import AnsweringModel
from toolmint.models.wrap import PricedAs

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
PAGES = ("", "/classes", "/requests", "/makings", "/makings/1")
IMAGES = Path(__file__).parents[2] / "docs" / "images"
# A scope's digest, or the one at a class's end.
DIGEST = re.compile(r"\b[0-9a-f]{12}\b|[a-z]-[0-9a-f]{6}\b")
HEIGHT = "one => one.getBoundingClientRect().height"
# Cells that stand outside the part of a table that is seen without scrolling.
CUT = """[...document.querySelectorAll(".wide td")]
  .filter(one => one.getBoundingClientRect().right > window.innerWidth)
  .map(one => one.textContent)"""
WIDTH = "document.scrollingElement.scrollWidth"


@asynccontextmanager
async def phone(
    width: int = 390, height: int = 844
) -> AsyncGenerator[tuple[Page, list[str], list[str]]]:
    """Open a browser of a phone's size; returns its page, what it fetches, what it complains of."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": width, "height": height})
        fetched, said = list[str](), list[str]()
        page.on("request", lambda one: fetched.append(one.url))
        page.on("console", lambda one: said.append(one.text))
        yield page, fetched, said
        await browser.close()


async def test_a_person_approves_a_tool_by_keyboard_on_a_phone(tmp_path: Path) -> None:
    async with house(tmp_path, waiting) as here, phone() as (page, fetched, said):
        name = await ready(here)
        await here.app.parts.request_log.flush()
        for path in (*PAGES, "/tools/" + name.replace("/", "%2F")):
            await page.goto(f"{here.url}/dashboard{path}")
            assert await page.evaluate(WIDTH) <= 390, f"{path} is wider than a phone"
            assert await page.locator("h1").count() == 1
        button = page.get_by_role("button", name="Approve")
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await button.evaluate("one => one === document.activeElement"):
                break
        outline = await button.evaluate("one => getComputedStyle(one).outlineStyle")
        assert outline != "none", "whoever uses a keyboard sees where they are"
        await page.keyboard.press("Enter")
        await page.wait_for_load_state()
        assert "serving" in await page.inner_text("h2")
        kinds = [(await here.ask(text))[1]["x-toolmint-cache"] for text in QUESTIONS[-8:]]
        assert "hit" in kinds
        assert fetched and all(one.startswith(here.url) for one in fetched)
        assert said == []


async def test_the_first_tab_leads_past_the_menu(tmp_path: Path) -> None:
    async with house(tmp_path) as here, phone() as (page, _, said):
        await here.ask(QUESTIONS[0])
        await here.app.parts.request_log.flush()
        await page.goto(f"{here.url}/dashboard")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the page"
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        assert await page.get_by_role("img", name="Spent and saved by day").count() == 1
        assert said == []


BRACKETS = """import re

PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


def parse(request):
    found = re.fullmatch(r"Close every bracket that is still open in: ([][(){}<>](?: [][(){}<>])*)", request)
    return {"brackets": found[1].split(" ")} if found else None


def unparse(args):
    return "Close every bracket that is still open in: " + " ".join(args["brackets"])


def solve(brackets):
    waiting = []
    for one in brackets:
        if one in PAIRS:
            waiting.append(PAIRS[one])
        elif waiting and waiting[-1] == one:
            waiting.pop()
        else:
            raise ValueError("closes nothing")
    return waiting[::-1]


def render(args, result):
    return " ".join(result)
"""


def _propose(request: ModelRequest) -> str:
    return fenced(BRACKETS if "Close every bracket" in str(request) else RIGHT)


async def test_no_page_is_too_wide_or_shows_a_digest(
    tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    asked = [one for kind in ("sorting", "brackets") for one in demos(36, kind, seed=5)]
    answers = {one.input: one.target or "" for one in asked}
    other = [f"Who wrote the book number {n} on my shelf?" for n in range(3)]
    models = Models(PricedAs(AnsweringModel(_propose), "gpt-5"))
    async with house(tmp_path, quick, models=models) as here:
        here.endpoint.solve = lambda text: answers.get(text) or "Nobody knows."
        for text in (*answers, *other):
            await here.ask(text)
            await here.finish_background_work()
        await here.app.parts.request_log.flush()
        names = [one.request_class for one, _ in await here.app.parts.store.versions()]
        paths = (*PAGES, *("/tools/" + name.replace("/", "%2F") for name in names))
        assert len(names) >= 2
        for width, height in ((1200, 800), (420, 900)):
            async with phone(width, height) as (page, _, said):
                for number, path in enumerate(paths):
                    await page.goto(f"{here.url}/dashboard{path}")
                    assert await page.evaluate(WIDTH) <= width, f"{path} at {width} pixels"
                    hidden = await page.evaluate(CUT)
                    assert hidden == [], f"cut off at {width} pixels on {path}"
                    if path in PAGES:
                        shown = await page.inner_text("body")
                        assert not DIGEST.search(shown), path
                    await page.screenshot(path=tmp_path / f"{width}-{number}.png")
                await page.goto(f"{here.url}/dashboard")
                tall = await page.locator("svg text").first.evaluate(HEIGHT)
                assert tall >= 12, "the plot's labels can be read"
                await page.get_by_role("link", name="Who wrote the book").click()
                assert "No tool of this class" in await page.inner_text("main")
                assert said == []
        if pytestconfig.getoption("--screenshots"):
            IMAGES.mkdir(exist_ok=True)
            shutil.copy(tmp_path / "1200-0.png", IMAGES / "dashboard.png")
