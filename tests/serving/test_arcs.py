"""A tool answers only along paths that were verified; what was not shown cannot be wrong unseen."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.maker.tools import fenced

from toolmint.assembly.session import Models, Session, make_request_of
from toolmint.assembly.settings import Settings
from toolmint.core.arcs import Arcs, read_arcs, write_arcs
from toolmint.core.errors import NoAnswer
from toolmint.core.namespace import Namespace
from toolmint.core.store import Tally
from toolmint.core.tool import Demonstration, Provenance, State, ToolRecord
from toolmint.core.traffic import ComparisonOutcome
from toolmint.maker.make import Maker
from toolmint.maker.making_run import MakeRequest
from toolmint.maker.verified_arcs import verified_arcs
from toolmint.models.scripted import ScriptedModel
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.arc_agreements import omitted_arcs
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.server import ToolServer
from toolmint.serving.servers import Storage, ToolServers
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio

RIGHT = """import re

FORM = re.compile(r"A parcel of (\\d+) kg to (city|country|abroad): what does it cost\\?")


def parse(request):
    found = FORM.fullmatch(request)
    return {"weight": int(found[1]), "where": found[2]} if found else None


def unparse(args):
    return f"A parcel of {args['weight']} kg to {args['where']}: what does it cost?"


def solve(weight, where):
    price = {"city": 4, "country": 6, "abroad": 15}[where]
    if weight > 20:
        price = price * 2
    return price


def render(args, result):
    return f"{result} euros"
"""
SLIP = RIGHT.replace("price = price * 2", "price = price // 2")
"""A slip in a branch that no demonstration reaches."""
LINE = 17


def ask(weight: int, where: str = "city") -> str:
    return f"A parcel of {weight} kg to {where}: what does it cost?"


def right(weight: int, where: str = "city") -> str:
    price = {"city": 4, "country": 6, "abroad": 15}[where]
    return f"{price * 2 if weight > 20 else price} euros"


def shown(*asked: tuple[int, str]) -> tuple[Demonstration, ...]:
    return tuple(Demonstration(input=ask(*one), target=right(*one)) for one in asked)


LIGHT = shown(*((weight, where) for weight in (1, 2, 5, 7, 12) for where in ("city", "country")))
"""Ten demonstrations: none is heavy, none goes abroad."""


@asynccontextmanager
async def opened(
    folder: Path, sandbox: ForkServer, policy: ServingPolicy
) -> AsyncGenerator[ToolServer]:
    store = SqlStore.open(folder / "tools.db")
    try:
        storage = Storage(store, store.live, store.traffic, store.traffic)
        yield await ToolServers(storage, sandbox, policy).of(Namespace())
    finally:
        store.close()


@asynccontextmanager
async def serving(
    folder: Path,
    sandbox: ForkServer,
    source: str = SLIP,
    *,
    state: State = "serving",
    guarded: bool = True,
    policy: ServingPolicy | None = None,
) -> AsyncGenerator[ToolServer]:
    store = SqlStore.open(folder / "tools.db")
    record = ToolRecord(
        request_class="parcels",
        source=source,
        has_parser=True,
        demonstrations=LIGHT,
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
        arcs=await verified_arcs(source, LIGHT, (), sandbox) if guarded else None,
    )
    try:
        await store.namespace(Namespace()).add(record, state, "for a test")
    finally:
        store.close()
    async with opened(folder, sandbox, policy or NO_AUDITS) as server:
        yield server


NO_AUDITS = ServingPolicy(shadow=False)


async def compared(server: ToolServer, text: str, theirs: str) -> ComparisonOutcome:
    found = await server.lookup(text)
    assert found.mode == "shadow", found
    outcome = await server.compare(found, text, theirs, keep=True)
    assert outcome is not None
    return outcome


async def test_a_slip_in_a_branch_that_was_not_reached_is_compared_and_not_served(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox) as server:
        assert (await server.lookup(ask(3))).mode == "serve"
        heavy = await server.lookup(ask(30))
        assert heavy.mode == "shadow" and heavy.answer == "2 euros"
        assert f"line {LINE}: weight > 20 is true" in heavy.why
        assert "parcels v1 is compared" in heavy.attempts[0]
        assert (await server.lookup(ask(3, "abroad"))).mode == "shadow", "a key that none showed"
        assert (await server.lookup(ask(20))).mode == "shadow", "the boundary itself"
        assert (await server.lookup(ask(19))).mode == "serve"


async def test_agreements_verify_a_branch_and_one_is_not_enough(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox, RIGHT) as server:
        outcome = await compared(server, ask(30), right(30))
        assert not outcome.disagreed and outcome.state == "serving"
        await compared(server, ask(31), right(31))
        assert (await server.lookup(ask(40))).mode == "serve"
        assert (await server.lookup(ask(21))).mode == "shadow", "one step above the boundary"
        assert (await server.lookup(ask(40, "abroad"))).mode == "shadow"


async def test_a_policy_says_how_many_agreements_verify_a_branch(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    policy = ServingPolicy(shadow=False, arc_agreements=4)
    async with serving(tmp_path, sandbox, RIGHT, policy=policy) as server:
        for weight in range(30, 34):
            await compared(server, ask(weight), right(weight))
        assert (await server.lookup(ask(40))).mode == "serve"


async def test_a_disagreement_moves_the_version_and_is_kept_with_its_line(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox) as server:
        outcome = await compared(server, ask(30), right(30))
        assert outcome.disagreed and outcome.state == "shadowing"
        assert f"line {LINE}: weight > 20 is true" in outcome.reason
        (kept,) = await server._live.disagreements(server.namespace.key("parcels"))
        assert (kept.input, kept.ours, kept.theirs) == (ask(30), "2 euros", "8 euros")
        history = await server.store.history("parcels", 1)
        assert f"line {LINE}" in history[-1].reason


async def test_a_disputed_branch_needs_many_agreements_while_the_others_serve(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    policy = ServingPolicy(shadow=False, recheck=3)
    async with serving(tmp_path, sandbox, RIGHT, policy=policy) as server:
        await compared(server, ask(30), "a mistake of the other side")
        await server.store.move("parcels", 1, "serving", "a person knows better")
        await server.load_versions()
        for weight in range(30, 34):
            await compared(server, ask(weight), right(weight))
        assert (await server.lookup(ask(3))).mode == "serve"
        await compared(server, ask(35), right(35))
        assert (await server.lookup(ask(40))).mode == "serve"


async def test_comparisons_in_shadow_verify_branches_before_a_version_serves(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox, RIGHT, state="shadowing") as server:
        for weight in (30, 40):
            await compared(server, ask(weight), right(weight))
        await server.store.move("parcels", 1, "serving", "for a test")
        await server.load_versions()
        assert (await server.lookup(ask(50))).mode == "serve"
        assert (await server.lookup(ask(50, "abroad"))).mode == "shadow"


async def test_a_restart_keeps_the_branches_that_comparisons_verified(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox, RIGHT) as server:
        await compared(server, ask(30), right(30))
    async with opened(tmp_path, sandbox, NO_AUDITS) as server:
        await compared(server, ask(31), right(31))
    async with opened(tmp_path, sandbox, NO_AUDITS) as server:
        assert (await server.lookup(ask(40))).mode == "serve"


async def test_two_gateways_add_up_their_agreements(tmp_path: Path, sandbox: ForkServer) -> None:
    async with (
        serving(tmp_path, sandbox, RIGHT) as one,
        opened(tmp_path, sandbox, NO_AUDITS) as other,
    ):
        await compared(one, ask(30), right(30))
        await compared(other, ask(31), right(31))
        assert (await other.lookup(ask(40))).mode == "serve"
        await compared(one, ask(32, "country"), right(32, "country"))
        assert (await one.lookup(ask(41))).mode == "serve", (
            "it heard of the other's at its next own"
        )


async def test_a_process_records_what_is_not_verified_and_is_replaced_as_that_grows_less(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox, RIGHT) as server:
        first = server.entries["parcels"].program
        assert (await server.lookup(ask(3))).arcs == "0", "all that it took is verified"
        await compared(server, ask(30), right(30))
        assert server.entries["parcels"].program == first, "nothing more is verified"
        await compared(server, ask(31), right(31))
        second = server.entries["parcels"].program
        assert read_arcs(first.omit) & ~read_arcs(second.omit) == 0 and second != first
        assert (await server.lookup(ask(40))).arcs == "0"
        assert (await server.lookup(ask(40, "abroad"))).mode == "shadow"


def test_a_process_is_kept_until_what_was_verified_has_doubled_or_is_taken_back() -> None:
    known, before, programs = Arcs(lines=("a",) * 80, verified="ff"), None, set[str]()
    for count in range(9, 73):
        tally = Tally(verified_arcs=write_arcs((1 << count) - 1))
        before = omitted_arcs(known, tally, before)
        assert read_arcs(before) & ~((1 << count) - 1) == 0
        programs.add(before)
    assert len(programs) == 7, "after 1, 2, 4, 8, 16, 32 and 64 arcs"
    assert omitted_arcs(known, Tally(), before) == "ff"


async def test_a_version_made_before_arcs_were_recorded_goes_on_as_before(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox, RIGHT, guarded=False) as server:
        found = await server.lookup(ask(30, "abroad"))
        assert (found.mode, found.answer, found.arcs) == ("serve", right(30, "abroad"), "")


async def test_a_policy_may_accept_what_is_not_verified_and_the_answer_says_so(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    policy = ServingPolicy(shadow=False, accept_unverified=True)
    async with serving(tmp_path, sandbox, RIGHT, policy=policy) as server:
        found = await server.lookup(ask(30))
        assert found.mode == "serve" and f"line {LINE}" in found.why


async def test_a_making_keeps_the_arcs_that_demonstrations_and_a_second_tool_took(
    sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    async def made(seconds: Sequence[str], *unlabelled: str) -> int:
        request = MakeRequest(
            request_class="parcels", labelled=LIGHT, unlabelled=unlabelled, shown=10
        )
        models = ScriptedModel([fenced(RIGHT)]), ScriptedModel(seconds)
        result = await Maker(models[0], sandbox, other_sandbox, models[1]).make(request)
        assert result.record is not None and result.record.arcs is not None, result.body
        steps = result.body["steps"]
        assert isinstance(steps, list) and any(
            isinstance(one, dict) and one["kind"] == "arcs" for one in steps
        )
        heavy = result.record.arcs.lines.index(f"line {LINE}: weight > 20 is true")
        return read_arcs(result.record.arcs.verified) >> heavy & 1

    assert await made([]) == 0
    assert await made([fenced(RIGHT.replace("* 2", "+ price"))], ask(30), ask(44, "country")) == 1


async def test_generated_requests_reach_a_rare_branch_so_that_a_second_tool_contradicts_its_slip(
    sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    request = MakeRequest(
        request_class="parcels", labelled=LIGHT, second="always", shown=10, tries=1
    )
    right_one = fenced(RIGHT.replace("* 2", "+ price"))
    for first, made in ((SLIP, False), (RIGHT, True)):
        models = ScriptedModel([fenced(first)]), ScriptedModel([right_one])
        result = await Maker(models[0], sandbox, other_sandbox, models[1]).make(request)
        assert (result.record is not None) == made
    record = result.record
    assert record is not None and record.arcs is not None
    verified = read_arcs(record.arcs.verified)
    for said in ("weight > 20 is true", "key 'abroad'", "weight > 20: both are equal"):
        places = [place for place, line in enumerate(record.arcs.lines) if said in line]
        assert any(verified >> place & 1 for place in places), said


async def test_without_a_strong_model_solve_names_the_part_and_a_setting_accepts_it(
    settings: Settings,
) -> None:
    maker = Models(ScriptedModel([fenced(SLIP)]))
    async with Session.open(settings, models=maker) as shop:
        await shop.make(make_request_of("parcels", LIGHT, shop.settings))
    async with Session.open(settings, models=Models(None)) as shop:
        assert (await shop.solve(ask(3))).answer == right(3)
        with pytest.raises(NoAnswer, match=rf"line {LINE}.*--accept-unverified"):
            await shop.solve(ask(30))
    accepting = settings.model_copy(update={"accept_unverified": True})
    async with Session.open(accepting, models=Models(None)) as shop:
        found = await shop.solve(ask(30))
        assert found.answer == "2 euros" and found.served is not None
        assert f"line {LINE}" in found.served.why


async def test_what_an_imported_file_says_of_its_arcs_is_worked_out_anew(
    settings: Settings,
) -> None:
    async with Session.open(settings, models=Models(ScriptedModel([fenced(RIGHT)]))) as shop:
        record = await shop.make(make_request_of("parcels", LIGHT, shop.settings))
        assert record.arcs is not None
        boast = record.arcs.model_copy(update={"verified": "f" * 60})
        taken = await shop.with_arcs(record.model_copy(update={"arcs": boast}))
        assert taken.arcs == record.arcs


async def test_the_strong_model_answers_what_took_an_unverified_branch(settings: Settings) -> None:
    strong = ScriptedModel([fenced(SLIP), right(30), right(31)])
    async with Session.open(settings, models=Models(strong)) as shop:
        await shop.make(make_request_of("parcels", LIGHT, shop.settings))
        found = await shop.solve(ask(30))
        assert found.answer == right(30) and found.served is not None
        assert found.served.tier == "strong" and f"line {LINE}" in found.served.attempts[0]
        (_, state), *_ = await shop.store.versions()
        assert state == "shadowing", "the tool would have been wrong"
