"""Resident workers: kept for one owner and one program, replaced after any fault, never trusted."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
from tests.sandbox.hostile import HOSTILE, KEEPERS, HostileTool
from tests.sandbox.processes import descendants

from toolmint.core.sandbox import FunctionCall, Given, Program, RunLimits
from toolmint.gateway.observability.metrics import Metrics
from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.residents import ResidentLimits

pytestmark = pytest.mark.anyio
ECHO = "def f(x):\n    return [x, x]\n"
HONEST = "def f(x):\n    return sorted(x)\n"


def program(source: str, known: object = None, seconds: float = 2.0) -> Program:
    return Program(
        source=source,
        calls=(FunctionCall(function="f", arguments=(Given(),)),),
        limits=RunLimits(seconds=seconds),
        known=known,  # type: ignore[arg-type]
    )


@pytest.fixture
async def server() -> AsyncIterator[ForkServer]:
    async with ForkServer(resident=ResidentLimits(each=2, processes=6)) as one:
        yield one


async def test_a_process_is_kept_for_later_inputs(server: ForkServer) -> None:
    tool = program(ECHO)
    answers = [(await server.call(tool, n, "anna")).value for n in range(50)]
    assert answers == [([n, n],) for n in range(50)]
    assert len(server.residents) == 1


async def test_many_inputs_at_once_are_all_right_in_few_processes(server: ForkServer) -> None:
    tool = program(ECHO)
    found = await asyncio.gather(*[server.call(tool, n, "anna") for n in range(200)])
    assert [one.value for one in found] == [([n, n],) for n in range(200)]
    assert len(server.residents) <= 2


async def test_two_owners_never_share_a_process(server: ForkServer) -> None:
    tool = program("import json\nbox = []\ndef f(x):\n    return len(box)\n")
    for owner in ("anna", "ben"):
        await server.call(tool, 1, owner)
    assert len(server.residents) == 2


async def test_each_input_has_a_new_copy_of_the_module(server: ForkServer) -> None:
    tool = program("seen = []\ndef f(x):\n    seen.append(x)\n    return len(seen)\n")
    assert [(await server.call(tool, n, "anna")).value for n in range(5)] == [(1,)] * 5
    assert len(server.residents) == 1


async def test_the_precision_of_decimal_does_not_last(server: ForkServer) -> None:
    tool = program(
        "import decimal\ndef f(x):\n"
        "    before = decimal.getcontext().prec\n"
        "    decimal.getcontext().prec = x\n"
        "    return [before, str(decimal.Decimal(1) / 3)]\n"
    )
    found = [(await server.call(tool, n, "anna")).value[0] for n in (5, 7)]
    assert found == [[28, "0.33333"], [28, "0.3333333"]]
    assert server.residents.barred == {}


@pytest.mark.parametrize("tool", KEEPERS, ids=lambda one: one.name)
async def test_nothing_that_a_call_leaves_behind_changes_a_later_answer_unseen(
    tool: HostileTool, server: ForkServer
) -> None:
    tried = program(tool.source, known="known", seconds=0.5)
    answers = [await server.call(tried, f"request {n}", "anna") for n in range(8)]
    same = {str(one.value) for one in answers if one.status == "ok"}
    barred = tried.key in server.residents.barred
    assert len(same) <= 1 or barred or server.residents.recycled.total()
    if barred:  # from then on each call has a process of its own, and they all agree
        later = [await server.call(tried, f"request {n}", "anna") for n in range(3)]
        assert len({(one.status, str(one.value)) for one in later}) == 1
    honest = program(HONEST, known=[2, 1])
    assert (await server.call(honest, [3, 1, 2], "anna")).value == ([1, 2, 3],)


@pytest.mark.parametrize("tool", HOSTILE, ids=lambda one: one.name)
async def test_a_fault_costs_one_answer_and_no_other_tool_any(
    tool: HostileTool, server: ForkServer
) -> None:
    bad, good = program(tool.source, seconds=0.4), program(HONEST, known=[2, 1])
    assert (await server.call(good, [2, 1], "anna")).value == ([1, 2],)
    for _ in range(3):
        result = await server.call(bad, "x", "anna")
        assert result.status in tool.want, result
        assert (await server.call(good, [3, 1, 2], "anna")).value == ([1, 2, 3],)


async def test_a_tool_that_reaches_into_the_interpreter_has_one_process_a_call(
    server: ForkServer,
) -> None:
    tool = program("import os\ndef f(x):\n    return os.getpid() > 0\n")
    assert (await server.call(tool, 1, "anna")).value == (True,)
    assert server.residents.barred == {tool.key: "it uses os"}
    assert len(server.residents) == 0


async def test_a_worker_that_is_killed_from_outside_costs_one_answer(server: ForkServer) -> None:
    slow = program("import time\ndef f(x):\n    time.sleep(x)\n    return 1\n", seconds=5.0)
    other = program(ECHO)
    await server.call(other, 1, "anna")
    asked = asyncio.create_task(server.call(slow, 4.0, "anna"))
    await server.call(other, 1, "anna")  # by then the other process has begun
    (resident,) = [one for one in server.residents.all() if one.program is slow]
    resident.link.kill(resident.worker)
    assert (await asked).status == "killed"
    assert (await server.call(other, 2, "anna")).value == ([2, 2],)
    assert (await server.call(slow, 0, "anna")).value == (1,)


async def test_a_fork_server_that_dies_with_its_residents_is_started_again(
    server: ForkServer,
) -> None:
    tools = [program(f"def f(x):\n    return x + {n}\n") for n in range(5)]
    for tool in tools:
        await server.call(tool, 1, "anna")
    assert len(server.residents) == 5
    link = server.residents.all()[0].link
    os.kill(link.pid, signal.SIGKILL)
    found = await asyncio.gather(*[server.call(tool, 1, "anna") for tool in tools])
    assert [one.value for one in found] == [(1 + n,) for n in range(5)]


async def test_a_fork_server_that_dies_with_thirty_residents_costs_no_answer_and_is_counted() -> (
    None
):
    slow = program("import time\ndef f(x):\n    time.sleep(x)\n    return 1\n", seconds=5.0)
    tools = [program(f"def f(x):\n    return x + {n}\n") for n in range(30)]
    async with ForkServer(resident=ResidentLimits(each=1, processes=40)) as server:
        metrics = Metrics()
        metrics.residents = server.residents
        for tool in (*tools, slow):
            assert (await server.call(tool, 0, "anna")).status == "ok"
        assert b"toolmint_resident_workers 31.0" in metrics.text()
        asked = asyncio.create_task(server.call(slow, 0.5, "anna"))
        await server.call(tools[0], 1, "anna")  # by then the slow one has begun
        link = server.residents.all()[0].link
        os.kill(link.pid, signal.SIGKILL)
        found = await asyncio.gather(*[server.call(tool, 1, "anna") for tool in tools])
        assert [one.value for one in found] == [(1 + n,) for n in range(30)]
        assert (await asked).value == (1,), "asked again, as the program had no part in it"
        told = metrics.text()
        assert b'toolmint_resident_workers_replaced_total{reason="died"} 31.0' in told
        for tool in tools:  # those that had a process of their own meanwhile keep one again
            await server.call(tool, 1, "anna")
        assert len(server.residents) >= 30


async def test_the_least_recently_used_process_goes(server: ForkServer) -> None:
    tools = [program(f"def f(x):\n    return x + {n}\n") for n in range(10)]
    for tool in tools:
        assert (await server.call(tool, 0, "anna")).status == "ok"
    assert len(server.residents) == 6
    assert {one.program.key for one in server.residents.all()} == {one.key for one in tools[4:]}
    assert server.residents.recycled["room"] == 4


async def test_a_process_is_replaced_after_a_number_of_calls() -> None:
    async with ForkServer(resident=ResidentLimits(calls=10)) as server:
        tool = program(ECHO)
        for n in range(25):
            assert (await server.call(tool, n, "anna")).value == ([n, n],)
        assert server.residents.recycled == {"calls": 2}


async def test_a_process_that_nobody_asks_goes() -> None:
    async with ForkServer(resident=ResidentLimits(idle_seconds=0.0)) as server:
        await server.call(program(ECHO), 1, "anna")
        server.residents.sweep()
        assert len(server.residents) == 0
        assert server.residents.recycled == {"idle": 1}


async def test_a_cancelled_call_leaves_no_reply_for_the_next_one(server: ForkServer) -> None:
    tool = program("import time\ndef f(x):\n    time.sleep(x)\n    return x\n")
    asked = asyncio.create_task(server.call(tool, 0.2, "anna"))
    await server.call(program(ECHO), 1, "anna")  # by then the first one has begun
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert (await server.call(tool, 0, "anna")).value == (0,)


async def test_a_call_that_is_cancelled_while_its_process_begins_takes_no_place() -> None:
    async with ForkServer(resident=ResidentLimits(each=1)) as server:
        source = "import time\ndef f(x):\n    time.sleep(x)\n    return x\n"
        await server.call(program(ECHO), 1, "anna")
        asked = asyncio.create_task(server.call(program(source, known=0.3), 0, "anna"))
        await server.call(program(ECHO), 1, "anna")  # by then the known request is at work
        assert len(server.residents) == 2
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert len(server.residents) == 1
        assert (await server.call(program(source, known=0.01), 0, "anna")).value == (0,)


async def test_without_residents_each_call_has_a_process_of_its_own() -> None:
    async with ForkServer(resident=ResidentLimits(processes=0)) as server:
        assert (await server.call(program(ECHO), 1, "anna")).value == ([1, 1],)
        assert len(server.residents) == 0


async def test_large_inputs_and_results_pass_whole(server: ForkServer) -> None:
    text = "ä" * 100_000
    assert (await server.call(program("def f(x):\n    return x\n"), text, "anna")).value == (text,)


async def test_faulty_tools_leave_no_process(server: ForkServer) -> None:
    await server.call(program(ECHO), 1, "anna")
    before = descendants(os.getpid())
    bad = program("def f(x):\n    return len(bytearray(1 << 31))\n")
    for _ in range(20):
        assert (await server.call(bad, 1, "anna")).status == "memory"
    assert descendants(os.getpid()) <= before + 3


async def test_a_result_that_is_nested_too_deep_is_a_failure_of_the_tool(
    server: ForkServer,
) -> None:
    tool = program(
        "def f(x):\n    value = x\n    for _ in range(x): value = [value]\n    return value\n"
    )
    for resident in (True, False):
        for levels in (255, 900):
            run = server.call(tool, levels, "anna") if resident else server.run(tool.run(levels))
            found = await run
            assert found.status == "output"
            assert "nested deeper than 100 levels" in found.message
    assert (await server.call(tool, 1, "anna")).value == ([1],)
