"""The sandbox's promises to honest programs: results, refusals, no state, recovery, no leaks."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.processes import children

from toolmint.core.errors import SandboxError
from toolmint.core.sandbox import FunctionCall, Ref, RunLimits, SandboxRun
from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.selfcheck import check_sandbox
from toolmint.sandbox.unsafe import UnsafeSandboxWarning, UnsafeSubprocess
from toolmint.sandbox.wire import StrictnessError, decode_reply, strict_json

pytestmark = pytest.mark.anyio

PIPELINE = """
seen = []
def read(text):
    seen.append(text)
    return {"n": len(text)} if text else None
def write(args): return "x" * args["n"] + str(len(seen))
def add(n, more=1): return n + more
"""


def _run(source: str, *calls: FunctionCall, **limits: float) -> SandboxRun:
    return SandboxRun(source=source, calls=calls, limits=RunLimits.model_validate(limits))


async def test_calls_feed_each_other_and_fresh_ones_see_no_state(sandbox: ForkServer) -> None:
    result = await sandbox.run(
        _run(
            PIPELINE,
            FunctionCall(function="read", arguments=("abc",), refuses=True),
            FunctionCall(function="write", arguments=(Ref(ref=0),), fresh=True),
            FunctionCall(function="write", arguments=(Ref(ref=0),)),
            FunctionCall(function="add", spread=Ref(ref=0)),
        )
    )
    assert result.value == ({"n": 3}, "xxx0", "xxx1", 4)


async def test_a_refusal_ends_the_run(sandbox: ForkServer) -> None:
    refuse = FunctionCall(function="read", arguments=("",), refuses=True)
    result = await sandbox.run(_run(PIPELINE, refuse, FunctionCall(function="add", arguments=(1,))))
    assert (result.status, result.value) == ("ok", (None,))


async def test_tuples_and_number_keys_arrive_as_json(sandbox: ForkServer) -> None:
    source = "def f(): return {1: (2, 3)}\ndef g(x): return x['1'][0]"
    result = await sandbox.run(
        _run(
            source, FunctionCall(function="f"), FunctionCall(function="g", arguments=(Ref(ref=0),))
        )
    )
    assert result.value == ({"1": [2, 3]}, 2)


async def test_a_fault_is_told_with_the_tools_own_lines(sandbox: ForkServer) -> None:
    result = await sandbox.run(_run("def f():\n    return 1 / 0", FunctionCall(function="f")))
    assert (result.status, result.error) == ("error", "ZeroDivisionError")
    assert "line 2 in f" in result.message and "worker" not in result.message


async def test_a_missing_function_and_bad_syntax_are_errors(sandbox: ForkServer) -> None:
    missing = await sandbox.run(_run("x = 1", FunctionCall(function="f")))
    assert "no function 'f'" in missing.message
    assert (await sandbox.run(_run("def f(:", FunctionCall(function="f")))).error == "SyntaxError"


async def test_a_program_may_use_the_listed_library(sandbox: ForkServer) -> None:
    source = (
        "import datetime, decimal, hashlib, re, statistics, heapq\n"
        "def f():\n"
        "    day = datetime.datetime.strptime('2024-02-29', '%Y-%m-%d')\n"
        "    return [day.strftime('%A'), str(decimal.Decimal('1') / 3)[:5],\n"
        "            hashlib.sha256(b'x').hexdigest()[:4], statistics.median([1, 2, 9])]\n"
    )
    result = await sandbox.run(_run(source, FunctionCall(function="f")))
    assert result.value == (["Thursday", "0.333", "2d71", 2],)


async def test_bytecode_of_a_program_that_runs_again_gives_the_same(sandbox: ForkServer) -> None:
    run = _run("def f(x):\n    return [x, x + 1]", FunctionCall(function="f", arguments=(41,)))
    results = [await sandbox.run(run) for _ in range(4)]
    assert [result.value for result in results] == [([41, 42],)] * 4


async def test_printing_is_kept_and_cut(sandbox: ForkServer) -> None:
    source = "def f():\n    print('a' * 50)\n    return 1"
    result = await sandbox.run(_run(source, FunctionCall(function="f"), stdout_bytes=10))
    assert (result.value, result.stdout) == ((1,), "a" * 10)


async def test_the_second_call_finds_nothing_of_the_first(sandbox: ForkServer) -> None:
    mark = (
        "import builtins, sys, json\n"
        "def f():\n"
        "    found = hasattr(builtins, 'mark') or 'mark' in sys.modules\n"
        "    vars(builtins)['mark'] = 1\n"
        "    sys.modules['mark'] = json\n"
        "    return found\n"
    )
    for _ in range(5):
        assert (await sandbox.run(_run(mark, FunctionCall(function="f")))).value == (False,)


async def test_many_calls_at_once_are_all_right(sandbox: ForkServer) -> None:
    source = "def f(x):\n    return x * x"
    runs = [_run(source, FunctionCall(function="f", arguments=(n,))) for n in range(60)]
    results = await asyncio.gather(*[sandbox.run(run) for run in runs])
    assert [result.value for result in results] == [(n * n,) for n in range(60)]


async def test_a_killed_fork_server_is_started_again() -> None:
    async with ForkServer() as server:
        run = _run("def f():\n    return 7", FunctionCall(function="f"))
        assert (await server.run(run)).value == (7,)
        link = server._link
        assert link is not None
        os.kill(link._process.pid, signal.SIGKILL)
        link._process.wait()
        assert (await server.run(run)).value == (7,)


async def test_a_dead_fork_server_is_seen_before_its_socket_tells() -> None:
    async with ForkServer() as server:
        await server.run(_run("def f():\n    return 7", FunctionCall(function="f")))
        link = server._link
        assert link is not None
        link.check()
        assert not link.broken
        os.kill(link._process.pid, signal.SIGKILL)
        link._process.wait()
        assert not link.broken
        link.check()
        assert link.broken


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_hostile_calls_leak_no_descriptor_and_no_process() -> None:
    async with ForkServer(concurrency=2) as server:
        good = _run("def f():\n    return 1", FunctionCall(function="f"))
        bad = _run("import os\ndef f():\n    os.abort()", FunctionCall(function="f"))
        await server.run(good)
        before, processes = _descriptors(), children(os.getpid())
        outcomes = [await server.run(bad if n % 4 == 0 else good) for n in range(120)]
        assert [one.status for one in outcomes] == [
            "killed" if n % 4 == 0 else "ok" for n in range(120)
        ]
        assert _descriptors() <= before + 3
        assert children(os.getpid()) == processes
    assert children(os.getpid()) == processes - 1


async def test_every_probe_holds(sandbox: ForkServer) -> None:
    assert [finding for finding in await check_sandbox(sandbox) if not finding.passed] == []


async def test_a_missing_interpreter_is_a_sandbox_error() -> None:
    with pytest.raises(SandboxError, match="cannot start"):
        async with ForkServer(python="/nonexistent/python"):
            pass


async def test_an_interpreter_that_is_no_python_is_said_so() -> None:
    with pytest.raises(SandboxError, match="did not start") as caught:
        async with ForkServer(python="/bin/false"):
            pass
    assert caught.value.code == "sandbox-start"


async def test_the_unsafe_engine_warns_and_works() -> None:
    with pytest.warns(UnsafeSandboxWarning, match="all your rights"):
        engine = UnsafeSubprocess()
    run = _run("def f(x):\n    return x + 1", FunctionCall(function="f", arguments=(1,)))
    assert (await engine.run(run)).value == (2,)
    died = await engine.run(_run("import os\ndef f(): os._exit(0)", FunctionCall(function="f")))
    assert died.status == "killed"
    slow = _run("def f():\n    while True: pass", FunctionCall(function="f"), seconds=0.3)
    assert (await engine.run(slow)).status == "timeout"


async def test_strict_json_refuses_what_json_does_not_allow() -> None:
    for text in (b"NaN", b'{"a":1,"a":2}', b'"\\ud800"', b"[" * 100_000, b"1" * 6000):
        with pytest.raises(StrictnessError):
            strict_json(text)
    assert strict_json(b'{"a": [1, "\\ud83d\\ude00"]}') == {"a": [1, "😀"]}


async def test_a_frame_of_the_wrong_shape_is_an_output_fault() -> None:
    run = _run("", FunctionCall(function="f"))
    assert decode_reply(b"O", b"[1, 2]", b"", run).status == "output"
    assert decode_reply(b"O", b"5", b"", run).status == "output"
    assert decode_reply(b"E", b"[]", b"", run).status == "output"
    assert decode_reply(b"?", b'"x"', b"", run).status == "output"


async def test_the_guest_starts_without_the_rest_of_the_package() -> None:
    code = (
        "import sys; from toolmint.sandbox.guest import zygote; "
        "print([m for m in ('pydantic', 'asyncio', 'aiohttp') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
