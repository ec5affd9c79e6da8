"""A version that a branch contradicts is repaired with that evidence, in the gateway too."""

from pathlib import Path

import pytest
from tests.maker.tools import fenced
from tests.serving.test_arcs import LIGHT, RIGHT, SLIP, ask, compared, right, serving

from toolmint.core.namespace import Namespace
from toolmint.core.store import Tally
from toolmint.core.tool import Demonstration
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.models.scripted import ScriptedModel
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.arc_agreements import branch_disputed
from toolmint.serving.background_maker import BackgroundMaker
from toolmint.serving.ledger import Ledger
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.making_rules import MakingRules
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
GATEWAY = ServingPolicy()


async def test_a_version_demoted_for_a_branch_is_gone_on_from_with_that_evidence(
    tmp_path: Path, sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    model = ScriptedModel([fenced(RIGHT)])

    async def make(request: MakeRequest, ledger: Ledger) -> MakingResult:
        del ledger
        return await Maker(model, sandbox, other_sandbox).make(request)

    def said(title: str, what: str) -> None:
        reasons.append(f"{title}: {what}")

    reasons = list[str]()
    store = SqlStore.open(tmp_path / "tools.db")
    async with serving(tmp_path, sandbox, policy=GATEWAY) as server:
        rules = MakingRules(needed=6, settings=MakeRequest(request_class="(queue)", labelled=()))
        maker = BackgroundMaker(make, store.live, rules, notify=said)
        for one in LIGHT:
            server.classes.join(one.input, "parcels")
        states: list[str] = []
        while "demoted" not in states and len(states) < 6:
            one = Demonstration(input=ask(30 + len(states)), target=right(30 + len(states)))
            states.append((await compared(server, one.input, one.target or "")).state)
            await store.namespace(Namespace()).enqueue("parcels", one)
        assert states[-1] == "demoted" and len(states) < 6, "fewer than a making of nothing takes"
        maker.offer(server, "parcels")
        await maker.idle()
        now = server.entries["parcels"]
        assert (now.record.version, now.state) == (2, "shadowing")
        shown = model.requests[0].messages[0].content
        assert SLIP.strip() in shown and right(30) in shown, "its source, and what it got wrong"
        assert {one.input for one in LIGHT} < {one.input for one in now.record.demonstrations}
        found = await server.lookup(ask(50))
        assert (found.mode, found.answer) == ("shadow", right(50))
        await maker.close()
    store.close()


@pytest.mark.parametrize(
    ("counts", "disputed"), [({}, False), ({"7": 1}, False), ({"7": 1, "9": -19}, True)]
)
def test_a_branch_is_disputed_until_agreements_make_up_for_it(
    counts: dict[str, int], disputed: bool
) -> None:
    assert branch_disputed(Tally(arc_agreements=counts)) is disputed
