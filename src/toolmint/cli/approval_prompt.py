"""Asks at the terminal whether a call that changes something is done."""

import asyncio
import sys
import threading
from typing import Protocol

import click

from toolmint.core.messages import ToolCall, ToolSpec
from toolmint.core.values import clip

_SHOWN = 2000
"""Characters of a call's arguments that are shown."""


class _Display(Protocol):
    """What is redrawn on the terminal meanwhile."""

    def stop(self) -> None: ...

    def start(self) -> None: ...


def question_of(spec: ToolSpec, call: ToolCall) -> str:
    """Return what a person is asked about a call, without anything that steers a terminal."""
    about = clip(spec.description.partition("\n")[0], 200)
    text = f"{call.name} {clip(call.arguments, _SHOWN)}\n  ({about})"
    shown = "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)
    return f"{shown}\nThis changes something. Call it? [y]es, [N]o, [a]lways this tool"


class TerminalAsker:
    """Asks the person at the terminal; an answer ``a`` holds for all later calls of the same tool.

    Attributes:
        paused: a display that stops while somebody is asked.
    """

    def __init__(self) -> None:
        self.paused: _Display | None = None
        self._always: set[str] = set()

    @classmethod
    def at_hand(cls) -> "TerminalAsker | None":
        """Return an asker where somebody is at a terminal, else None."""
        return cls() if sys.stdin.isatty() and sys.stderr.isatty() else None

    async def __call__(self, spec: ToolSpec, call: ToolCall, /) -> bool:
        """Return whether the call is done."""
        if call.name in self._always:
            return True
        if self.paused is not None:
            self.paused.stop()
        try:
            answer = await _read(question_of(spec, call))
        finally:
            if self.paused is not None:
                self.paused.start()
        if answer.startswith("a"):
            self._always.add(call.name)
        return answer.startswith(("y", "a"))


async def _read(question: str) -> str:
    """Return a line of the terminal, in lower case; no other work waits for it.

    A daemon thread reads it: one that waits would else hold up the end of a program that is stopped.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[str] = loop.create_future()

    def answer(text: str) -> None:
        if not answered.done():
            answered.set_result(text)

    def read() -> None:
        click.echo(question, err=True, nl=False)
        click.echo(" ", err=True, nl=False)
        loop.call_soon_threadsafe(answer, sys.stdin.readline().strip().lower())

    threading.Thread(target=read, name="toolmint-ask", daemon=True).start()
    return await answered
