"""``toolwright demo``: watch a mixed stream leave the strong model, class by class."""

import statistics
from collections import Counter, defaultdict, deque
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from toolwright.cli.common import console, money, say
from toolwright.cli.demo_agent import show_agent
from toolwright.cli.demo_trio import show_trio
from toolwright.core.doors import run_sync
from toolwright.embedded import tape_path

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from toolwright.assembly.demo import Answered
    from toolwright.cache.ledger import ClassBill

HONEST = (
    "What you saw: classes, maker, gate, sandbox, store and ledger are real and ran here. The replies that "
    "make tools are recorded: a large language model wrote them; the first proposal of one class is caught "
    "by the near misses, that of another by the labels. The strong model's answers are the generators' own "
    "labels, a few tokens each; a model that reasons writes hundreds, and break-even comes as much sooner. "
    "Tokens are characters / 4, priced as gpt-5."
)
NEXT = (
    "Your own endpoint:  export OPENAI_API_KEY=...; toolwright make demos.jsonl --model openai:gpt-5\n"
    "                    toolwright solve 'a request' --explain\n"
    "Any compatible one: --model 'openai:NAME?base_url=http://127.0.0.1:8000/v1'\n"
    "Real data:          toolwright eval bigbench FOLDER --model ... (BIG-Bench JSON: input, target)"
)


class Show:
    """What the screen shows: a row a class, the last events, the totals."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.wrong = total, 0, 0
        self.tiers: dict[str, Counter[str]] = defaultdict(Counter)
        self.tools: dict[str, str] = {}
        self.events: deque[str] = deque(maxlen=9)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.tokens: Counter[str] = Counter()

    def observe(self, line: str) -> None:
        """Take one step of a making."""
        self.events.append(line[:110])

    def take(self, answered: "Answered") -> None:
        """Take one answered request."""
        served = answered.trajectory.served
        if served is None:
            return
        kind = answered.arrival.kind or "chatter"
        self.done += 1
        self.wrong += not answered.right
        self.tiers[kind][served.tier] += 1
        self.tokens[kind] += served.usage.tokens
        self.seconds[served.tier].append(answered.seconds)
        if served.version and self.tools.get(kind) != served.request_class:
            self.tools[kind] = str(served.request_class)
            self.events.append(f"{kind}: {served.request_class} takes over, no model from now on")

    def table(self) -> "Table":
        """Give the table of classes."""
        from rich.table import Table

        table = Table(title=f"{self.done} of {self.total} requests, {self.wrong} wrong answers")
        for name in ("kind", "strong model", "tool, no model", "tokens for answers", "tool"):
            table.add_column(name)
        for kind in sorted(self.tiers, key=lambda name: (name == "chatter", name)):
            tiers = self.tiers[kind]
            never = "never one" if kind == "chatter" else "-"
            table.add_row(
                kind, str(tiers["strong"]), str(tiers["compiled"]), str(self.tokens[kind]),
                self.tools.get(kind, never),
            )  # fmt: skip
        return table

    def screen(self) -> "Group":
        """Give the whole screen."""
        from rich.console import Group
        from rich.panel import Panel
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        bar = ProgressBar(total=self.total, completed=self.done)
        return Group(
            self.table(), bar, Panel(Text("\n".join(self.events)), title="making", height=11)
        )


def _milliseconds(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"p50 {statistics.median(ordered) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"


def _bill(bills: "list[ClassBill]", show: Show) -> None:
    from rich.table import Table

    kinds = {name: kind for kind, name in show.tools.items()}
    table = Table(
        "kind", "requests", "making", "answers", "cost", "without toolwright", "break-even",
        title="The bill",
    )  # fmt: skip
    rows: dict[str, list[ClassBill]] = defaultdict(list)
    for one in bills:
        rows[kinds.get(one.request_class, "chatter")].append(one)
    for kind, found in sorted(rows.items(), key=lambda pair: (pair[0] == "chatter", pair[0])):
        at = found[0].break_even
        table.add_row(
            kind, str(sum(one.requests for one in found)),
            f"{sum(one.making.tokens for one in found)} tok",
            f"{sum(one.serving.tokens for one in found)} tok",
            money(sum((one.cost or Decimal(0) for one in found), Decimal(0))),
            money(sum((one.without or Decimal(0) for one in found), Decimal(0))),
            "-" if at is None else f"{at} requests",
        )  # fmt: skip
    console().print(table)
    cost = sum((one.cost or Decimal(0) for one in bills), Decimal(0))
    without = sum((one.without or Decimal(0) for one in bills), Decimal(0))
    say(f"all: {money(cost)} with toolwright, {money(without)} with the strong model alone")


@click.command("demo")
@click.option(
    "--requests", type=click.IntRange(10, 100_000), default=None, help="Length of the stream."
)
def command(*, requests: int | None) -> None:
    """Run the whole loop on a mixed stream: no key, no network, a real sandbox."""
    from rich.live import Live

    from toolwright.assembly import demo
    from toolwright.cache.ledger import bill

    arrivals = demo.arrivals_of(requests or demo.REQUESTS)
    show = Show(len(arrivals))

    async def work() -> "list[ClassBill]":
        maker = demo.shipped_maker(tape_path())
        async with demo.demo_workshop(arrivals, maker, show.observe) as workshop:
            with Live(show.screen(), console=console(), refresh_per_second=8) as live:
                async for answered in demo.run_stream(workshop, arrivals):
                    show.take(answered)
                    live.update(show.screen())
            await workshop.dispatcher.close()
            return bill(await workshop.store.ledger(), await workshop.store.counts())

    _bill(run_sync(work()), show)
    served = sum(tiers["compiled"] for tiers in show.tiers.values())
    say(
        f"{served} of {show.done} requests were answered by made tools with 0 tokens; {show.wrong} wrong."
    )
    if by_tool := show.seconds["compiled"]:
        say(f"a request by tool: {_milliseconds(by_tool)}, dispatch and sandbox included")
    say(f"\n{HONEST}")
    run_sync(show_agent())
    run_sync(show_trio())
    say(f"\n{NEXT}")
