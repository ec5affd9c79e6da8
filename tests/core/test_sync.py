"""One background loop runs asynchronous work for ordinary code, notebooks and other loops."""

import asyncio
import os
import signal
import subprocess
import sys
import threading

import pytest

from toolmint.core.errors import InputError, ToolmintError
from toolmint.core.sync import run_in_background, run_sync


async def loop_here() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


async def fails() -> None:
    raise InputError("the file is empty", code="empty")


def test_every_call_runs_on_the_same_loop_from_every_thread() -> None:
    found = [run_sync(loop_here())]
    thread = threading.Thread(target=lambda: found.append(run_sync(loop_here())))
    thread.start()
    thread.join()
    assert found[0] is found[1]
    assert found[0].is_running()


def test_it_works_inside_a_running_loop_as_in_a_notebook() -> None:
    async def cell() -> tuple[asyncio.AbstractEventLoop, asyncio.AbstractEventLoop]:
        return run_sync(loop_here()), asyncio.get_running_loop()

    background, own = asyncio.run(cell())
    assert background is not own
    assert background is run_sync(loop_here())


def test_an_error_keeps_its_class_and_its_code() -> None:
    with pytest.raises(InputError, match="the file is empty") as caught:
        run_sync(fails())
    assert caught.value.code == "empty"

    async def cell() -> None:
        run_sync(fails())

    with pytest.raises(InputError, match="the file is empty"):
        asyncio.run(cell())


def test_an_exit_inside_is_passed_on_and_the_loop_goes_on() -> None:
    async def leaves() -> None:
        sys.exit(3)

    before = run_sync(loop_here())
    with pytest.raises(SystemExit) as caught:
        run_sync(leaves())
    assert caught.value.code == 3
    assert run_sync(loop_here()) is before


def test_waiting_for_itself_is_refused() -> None:
    async def inner() -> None:
        run_sync(loop_here())

    with pytest.raises(ToolmintError, match="await the coroutine there") as caught:
        run_sync(inner())
    assert caught.value.code == "loop"


def test_an_interrupt_cancels_the_work_and_is_passed_on() -> None:
    events: list[str] = []

    async def interrupted() -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    with pytest.raises(KeyboardInterrupt):
        run_sync(interrupted())
    assert events == ["cancelled"]


def test_work_of_another_loop_runs_in_the_background_and_is_cancelled_with_its_caller() -> None:
    started, cancelled = asyncio.Event(), threading.Event()

    async def waits() -> None:
        try:
            own.call_soon_threadsafe(started.set)
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def caller() -> asyncio.AbstractEventLoop:
        nonlocal own
        own = asyncio.get_running_loop()
        task = asyncio.create_task(run_in_background(waits()))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(cancelled.wait, 10)
        return await run_in_background(loop_here())

    own: asyncio.AbstractEventLoop
    assert asyncio.run(caller()) is run_sync(loop_here())


def test_a_program_ends_quietly_while_background_work_is_pending() -> None:
    code = (
        "import asyncio\n"
        "from toolmint import run_sync\n"
        "async def begin():\n"
        "    return asyncio.create_task(asyncio.sleep(3600))\n"
        "task = run_sync(begin())\n"
        "print('end')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")


def test_a_forked_child_starts_a_loop_of_its_own() -> None:
    code = (
        "import asyncio, os\n"
        "from toolmint import run_sync\n"
        "run_sync(asyncio.sleep(0))\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(run_sync(asyncio.sleep(0, 7)))\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr
