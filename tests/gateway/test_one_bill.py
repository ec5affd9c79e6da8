"""One bill: requests of the command line and of the gateway count alike, in every place that prints it."""

import json
import re
import subprocess
from pathlib import Path

import aiohttp
import pytest
from tests.gateway.house import QUESTIONS, house
from tests.gateway.processes import TOOLMINT
from tests.gateway.test_living import quick
from tests.maker.tools import RIGHT, demos, fenced

from toolmint.assembly.session import Models, Session, make_request_of
from toolmint.assembly.settings import Settings
from toolmint.models.scripted import ScriptedModel
from toolmint.models.wrap import PricedAs
from toolmint.serving.billing import read_bill

pytestmark = pytest.mark.anyio


async def solve_on_the_command_line(settings: Settings) -> None:
    """Make a tool, let it answer, and let the strong model answer what it refuses."""
    strong = PricedAs(ScriptedModel([fenced(RIGHT), "Nobody knows."]), "gpt-5")
    async with Session.open(settings, models=Models(strong)) as session:
        await session.make(make_request_of("sorting", demos(), settings))
        for one in demos(5, seed=99):
            assert (await session.solve(one.input)).answer == one.target
        assert (await session.solve("What is love?")).answer == "Nobody knows."


async def test_command_line_and_dashboard_print_the_same_bill(tmp_path: Path) -> None:
    async with house(tmp_path, quick) as here:
        await here.proved()
        for text in QUESTIONS[300:310]:
            await here.ask(text)
        await here.finish_background_work()
        await here.app.parts.request_log.flush()
        await solve_on_the_command_line(Settings(store=tmp_path / "tools.db", second="never"))
        bill = await read_bill(here.app.parts.store, here.app.parts.log)
        async with aiohttp.ClientSession() as web, web.get(f"{here.url}/dashboard") as page:
            html = await page.text()
    command = [TOOLMINT, "bill", "--json", "--store", str(tmp_path / "tools.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    printed = json.loads(done.stdout)
    assert printed == json.loads(bill.model_dump_json())
    assert bill.by_tools >= 6 and bill.requests == len(here.endpoint.seen) + 6 + (bill.by_tools - 5)
    figures = re.findall(r"<dd>(.*?)</dd>", html, re.DOTALL)
    assert figures[0] == str(bill.spent) and figures[2] == str(bill.making)
    assert figures[3] == str(bill.requests) and figures[4].startswith(f"{bill.by_tools} ")
    titles = [one["title"] for one in printed["classes"]]
    assert any(title.startswith("Put these words into alphabetical") for title in titles)
    assert not any(re.search(r"[0-9a-f]{12}", title) for title in titles), "digests stay internal"
