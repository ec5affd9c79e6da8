"""``toolmint demo``: a mixed stream of requests moves from the strong model to made tools, class by class."""

import statistics
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from toolmint.cli.common import console, money, say
from toolmint.cli.demo_agent import show_agent
from toolmint.cli.demo_trio import show_trio
from toolmint.core.errors import ConfigError
from toolmint.core.sync import run_sync
from toolmint.embedded import cassette_path

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from toolmint.assembly.demo import DemoAnswer
    from toolmint.serving.billing import Bill, ClassBill, Cost

_EXPLANATION = (
    "What you saw: classes, maker, verification, sandbox, store and ledger are real and ran here. The "
    "replies that make tools are recorded: a large language model wrote them; the first proposal of one "
    "class is caught by the near misses, that of another by the labels. The strong model's answers are "
    "the generators' own labels, a few tokens each; a model that reasons writes hundreds, and break-even "
    "comes as much sooner. "
    "Tokens are characters / 4, priced as gpt-5."
)
_NEXT = (
    "Your own endpoint:  export OPENAI_API_KEY=...; toolmint make demos.jsonl --model openai:gpt-5\n"
    "                    toolmint solve 'a request' --explain\n"
    "Any compatible one: --model 'openai:NAME?base_url=http://127.0.0.1:8000/v1'\n"
    "Real data:          toolmint eval bigbench FOLDER --model ... (BIG-Bench JSON: input, target)"
)


class DemoView:
    """The state of the screen: a row for each class, the last events, the totals."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.wrong = total, 0, 0
        self.tiers: dict[str, Counter[str]] = defaultdict(Counter)
        self.tools: dict[str, str] = {}
        self.titles: dict[str, str] = {}
        self.events: deque[str] = deque(maxlen=9)
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.tokens: Counter[str] = Counter()

    def observe(self, line: str) -> None:
        """Add a line of tool making."""
        self.events.append(line[:110])

    def take(self, answered: "DemoAnswer", title: Callable[[str], str]) -> None:
        """Count one answered request; ``title`` returns what people call a class."""
        served = answered.trajectory.served
        if served is None:
            return
        kind = answered.arrival.kind or "chatter"
        self.done += 1
        self.wrong += not answered.right
        self.tiers[kind][served.tier] += 1
        self.tokens[kind] += served.usage.tokens
        self.seconds[served.tier].append(answered.seconds)
        name = str(served.request_class)
        if served.version and self.tools.get(kind) != name:
            self.tools[kind], self.titles[kind] = name, title(name)
            self.events.append(f"{kind}: “{title(name)}” takes over, no model from now on")

    def table(self) -> "Table":
        """Return the table of request classes."""
        from rich.table import Table

        table = Table(title=f"{self.done} of {self.total} requests, {self.wrong} wrong answers")
        for name in ("kind", "strong model", "tool, no model", "tokens for answers", "tool"):
            table.add_column(name)
        for kind in sorted(self.tiers, key=lambda name: (name == "chatter", name)):
            tiers = self.tiers[kind]
            never = "never one" if kind == "chatter" else "-"
            table.add_row(
                kind,
                str(tiers["strong"]),
                str(tiers["code"]),
                str(self.tokens[kind]),
                self.titles.get(kind, never),
            )
        return table

    def screen(self) -> "Group":
        """Return the whole screen."""
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


def _bill(bill: "Bill", show: DemoView) -> None:
    from rich.table import Table

    from toolmint.serving.billing import Cost

    kinds = {name: kind for kind, name in show.tools.items()}
    names = ("kind", "requests", "making", "answers", "cost", "without toolmint", "break-even")
    table = Table(*names, title="The bill")
    rows: dict[str, list[ClassBill]] = defaultdict(list)
    for one in bill.classes:
        rows[kinds.get(one.key, "chatter")].append(one)
    for kind, found in sorted(rows.items(), key=lambda pair: (pair[0] == "chatter", pair[0])):
        at = found[0].break_even
        spent = sum((one.spent for one in found), start=Cost())
        making = sum((one.making for one in found), start=Cost())
        table.add_row(
            kind,
            str(sum(one.requests for one in found)),
            f"{sum(one.making_tokens for one in found)} tok",
            f"{sum(one.tokens for one in found)} tok",
            str(spent + making),
            money(_without(spent, [one.saved for one in found])),
            "-" if at is None else f"{at} requests",
        )
    console().print(table)
    without = money(_without(bill.spent, [bill.saved]))
    say(f"all: {bill.spent + bill.making} with toolmint, {without} with the strong model alone")


def _without(spent: "Cost", saved: list[float | None]) -> float | None:
    """Return what the requests would have cost without tools, in US dollars; None: nobody knows."""
    if spent.total is None or None in saved:
        return None
    return spent.total + sum(one or 0.0 for one in saved)


@click.command("demo")
@click.option(
    "--requests", type=click.IntRange(10, 100_000), default=None, help="Length of the stream."
)
def demo_command(*, requests: int | None) -> None:
    """Run the whole loop on a mixed stream: no key, no network, a real sandbox."""
    from rich.live import Live

    from toolmint.assembly import demo
    from toolmint.serving.billing import Bill, read_bill

    arrivals = demo.arrivals_of(requests or demo.DEMO_REQUESTS)
    show = DemoView(len(arrivals))

    async def work() -> Bill:
        maker = demo.recorded_maker(cassette_path())
        async with demo.demo_session(arrivals, maker, show.observe) as client:
            with Live(show.screen(), console=console(), refresh_per_second=8) as live:
                classes = (await client.solver.server()).classes
                async for answered in demo.run_stream(client, arrivals):
                    show.take(answered, classes.title)
                    live.update(show.screen())
            await client.flush()
            return await read_bill(client.store, client.store.traffic)

    _bill(run_sync(work()), show)
    served = sum(tiers["code"] for tiers in show.tiers.values())
    say(
        f"{served} of {show.done} requests were answered by made tools with 0 tokens; {show.wrong} wrong."
    )
    if by_tool := show.seconds["code"]:
        say(f"a request by tool: {_milliseconds(by_tool)}, dispatch and sandbox included")
    say(f"\n{_EXPLANATION}")
    try:
        run_sync(show_agent())
        run_sync(show_trio())
    except ConfigError as missing:
        say(f"\nThe agent's part cannot run here: {missing}")
    say(f"\n{_NEXT}")
