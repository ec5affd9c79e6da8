"""Tools that may be resident see nothing of their earlier calls, or have one process a call from then on."""

import pytest
from tests.sandbox.hostile import HOSTILE, KEEPERS, HostileTool
from tests.sandbox.siege import calls_that_saw_others, program_of
from tests.sandbox.stayers import BARRED, OWN, STAYERS

from toolmint.core.guest_modules import GUEST_MODULES
from toolmint.core.sandbox import FunctionCall, SandboxRun
from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.guest.residence import reason_against
from toolmint.sandbox.residents import ResidentLimits

pytestmark = pytest.mark.anyio
ALLOWED = frozenset(GUEST_MODULES)


def test_no_tool_stands_twice_and_there_are_enough_of_each_kind() -> None:
    every = KEEPERS + HOSTILE + STAYERS + BARRED
    assert len({one.source for one in every}) == len(every)
    assert len(STAYERS) >= 40


@pytest.mark.parametrize("tool", STAYERS, ids=lambda one: one.name)
async def test_each_tries_in_a_resident_process(tool: HostileTool, sandbox: ForkServer) -> None:
    assert not reason_against(tool.source, ALLOWED)
    calls = tuple(FunctionCall(function="f", arguments=(n,)) for n in range(2))
    both = await sandbox.run(SandboxRun(source=tool.source, calls=calls))
    succeeds = both.status == "ok" and not both.value[0] and bool(both.value[1])
    stopped = both.status == "error" and any(
        word in both.message for word in ("attribute", "read-only", "immutable")
    )
    assert succeeds or (stopped and tool not in OWN), both


@pytest.mark.parametrize("tool", STAYERS, ids=lambda one: one.name)
async def test_no_call_sees_an_earlier_one_unnoticed(tool: HostileTool) -> None:
    async with ForkServer(resident=ResidentLimits(each=1)) as server:
        assert await calls_that_saw_others(server, tool) == 0


@pytest.mark.parametrize("tool", BARRED, ids=lambda one: one.name)
async def test_what_shows_earlier_calls_has_one_process_a_call(
    tool: HostileTool, sandbox: ForkServer
) -> None:
    assert reason_against(tool.source, ALLOWED)
    await sandbox.call(program_of(tool), 1, "anna")
    assert program_of(tool).key in sandbox.residents.barred


async def test_a_source_of_random_numbers_of_its_own_may_be_resident(sandbox: ForkServer) -> None:
    source = "import random\ndef f(x):\n    return random.Random(x).randint(1, 10 ** 9)\n"
    tool = program_of(HostileTool("own", source))
    first = [(await sandbox.call(tool, n, "ben")).value for n in (1, 2, 1)]
    assert first[0] == first[2] != first[1]
    assert tool.key not in sandbox.residents.barred
