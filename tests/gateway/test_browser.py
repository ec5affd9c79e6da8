"""The dashboard in a real browser: on a phone, by keyboard alone, with nothing fetched from elsewhere."""

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright
from tests.gateway.house import QUESTIONS, house
from tests.gateway.test_dashboard import ready, waiting

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
PAGES = ("", "/classes", "/requests", "/makings", "/makings/1")
WIDTH = "document.scrollingElement.scrollWidth"


@asynccontextmanager
async def phone() -> AsyncGenerator[tuple[Page, list[str], list[str]]]:
    """Open a browser of a phone's size; gives its page, what it fetches, and what it complains of."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 390, "height": 844})
        fetched, said = list[str](), list[str]()
        page.on("request", lambda one: fetched.append(one.url))
        page.on("console", lambda one: said.append(one.text))
        yield page, fetched, said
        await browser.close()


async def test_a_person_approves_a_tool_by_keyboard_on_a_phone(tmp_path: Path) -> None:
    async with house(tmp_path, waiting) as here, phone() as (page, fetched, said):
        name = await ready(here)
        await here.app.parts.journal.flush()
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
        kinds = [(await here.ask(text))[1]["x-toolwright-cache"] for text in QUESTIONS[-8:]]
        assert "hit" in kinds
        assert fetched and all(one.startswith(here.url) for one in fetched)
        assert said == []


async def test_the_first_tab_leads_past_the_menu(tmp_path: Path) -> None:
    async with house(tmp_path) as here, phone() as (page, _, said):
        await page.goto(f"{here.url}/dashboard")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the page"
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        assert await page.get_by_role("img", name="Spent and saved by day").count() == 1
        assert said == []
