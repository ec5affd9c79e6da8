"""The report over streams: tables and curves over time, the bound, and what changes half way lead to."""

from collections.abc import Mapping, Sequence
from statistics import median

from toolmint.evaluation.benchmark import Row
from toolmint.evaluation.bootstrap import estimate
from toolmint.evaluation.report import Cell, Figure, Line, Report, Section
from toolmint.evaluation.stream import StreamOutcome, StreamPlan, WindowCounts
from toolmint.evaluation.stream_plot import plot, spark

_PARTS = 10
_LEGEND = (
    "coverage: share that no strong call answers; last: of the last 2,000 requests, or the last fifth; "
    "precision, error: of these answers, against the labels; strong calls: share of all requests, audits "
    "and comparisons included; saved: of what always asking the strong model costs"
)
_CASCADE = (
    "Online Cascade Learning (Nie et al., ICML 2024): no published figure on these data is known to this "
    "program, so none stands here"
)
Outcomes = Mapping[str, Sequence[StreamOutcome]]


def outcomes_of(rows: Sequence[Row]) -> dict[str, list[StreamOutcome]]:
    """Return the outcomes of rows by system; rows with an error have none."""
    found: dict[str, list[StreamOutcome]] = {}
    for row in rows:
        if row.error is None:
            found.setdefault(row.solver, []).append(StreamOutcome.model_validate(row.details))
    return found


def stream_report(
    title: str,
    outcomes: Outcomes,
    plan: StreamPlan,
    *,
    epsilon: float,
    call_cost: float | None,
) -> Report:
    """Return the report.

    Args:
        title: of the stream.
        outcomes: by system, those of each seed.
        plan: how the stream was made.
        epsilon: share of answers that may be wrong.
        call_cost: US dollars a call of the strong model; None: not known.
    """
    sections = [
        Section(
            title=title,
            first="system",
            lines=tuple(
                _system_line(name, some, epsilon, plan.noise, call_cost)
                for name, some in outcomes.items()
            ),
        ),
        Section(
            title="Coverage over time, mean over the seeds",
            first="system",
            lines=tuple(
                Line(name=name, cells={"from first to last": spark(_coverage(some))})
                for name, some in outcomes.items()
            ),
        ),
    ]
    for name, some in outcomes.items():
        if any(one.changes for one in some):
            sections.append(_over_time(name, some, call_cost))
    changed = _changed(outcomes) if plan.change_half or plan.unseen else []
    noise = plan.noise
    notes = [_LEGEND, plot({name: _coverage(some) for name, some in outcomes.items()}, "coverage")]
    if noise:
        notes.append(
            f"the strong model is wrong in {noise:.1%} of its answers: `disagreed` is the share of served "
            "answers that differ from what it would have said, which is all that the bound can hold "
            "(`over the bound` counts it); `error` is the share that differ from the right label"
        )
    return Report(sections=(*sections, *changed), notes=(*notes, _CASCADE))


def _whole(some: Sequence[StreamOutcome]) -> WindowCounts:
    return sum((one.whole for one in some), start=WindowCounts())


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _figure(part: float, whole: float) -> Figure:
    return Figure(value=_share(part, whole))


def _system_line(
    name: str,
    some: Sequence[StreamOutcome],
    epsilon: float,
    noise: float,
    call_cost: float | None,
) -> Line:
    whole = _whole(some)
    last = sum((one.last for one in some), start=WindowCounts())
    over = sum(one.whole.disagreed > epsilon * one.whole.answered for one in some)
    cells: dict[str, Cell] = {
        "seeds": len(some),
        "coverage": _figure(whole.answered, whole.requests),
        "last": _figure(last.answered, last.requests),
        "precision": _figure(whole.answered - whole.wrong, whole.answered),
        "error": _error(some),
    }
    if noise:
        cells["disagreed"] = _figure(whole.disagreed, whole.answered)
    cells |= {
        f"over {epsilon:g}": f"{over} of {len(some)}",
        "strong calls": _figure(whole.strong, whole.requests),
        "saved": _figure(whole.requests - whole.strong, whole.requests),
    }
    if call_cost is not None:
        seeds = max(1, len(some))
        cells["cost $"] = f"{call_cost * whole.strong / seeds:.2f}"
        cells["saved $"] = f"{call_cost * (whole.requests - whole.strong) / seeds:.2f}"
    return Line(name=name, cells=cells)


def _error(some: Sequence[StreamOutcome]) -> Figure:
    """Return the share of wrong answers; with its interval over whole seeds where there are several."""
    whole = _whole(some)
    if len(some) < 2 or not whole.answered:
        return _figure(whole.wrong, whole.answered)
    rows = [(float(one.whole.wrong), float(one.whole.answered)) for one in some]
    return Figure.of(estimate(rows, range(len(rows)), lambda sums: sums[:, 0] / sums[:, 1]))


def _coverage(some: Sequence[StreamOutcome]) -> list[float]:
    """Return the coverage of each window, over all seeds."""
    windows = [
        sum(parts, start=WindowCounts())
        for parts in zip(*(one.windows for one in some), strict=True)
    ]
    return [_share(one.answered, one.requests) or 0.0 for one in windows]


def _over_time(name: str, some: Sequence[StreamOutcome], call_cost: float | None) -> Section:
    """Return the table of a system over time, in tenths of the stream."""
    windows = [
        sum(parts, start=WindowCounts())
        for parts in zip(*(one.windows for one in some), strict=True)
    ]
    step = max(1, len(windows) // _PARTS)
    lines: list[Line] = []
    so_far = WindowCounts()
    for at in range(0, len(windows), step):
        part = sum(windows[at : at + step], start=WindowCounts())
        so_far += part
        cells: dict[str, Cell] = {
            "coverage": _figure(part.answered, part.requests),
            "precision": _figure(part.answered - part.wrong, part.answered),
            "strong calls": _figure(part.strong, part.requests),
            "saved so far": _figure(so_far.requests - so_far.strong, so_far.requests),
        }
        if call_cost is not None:
            saved = call_cost * (so_far.requests - so_far.strong) / max(1, len(some))
            cells["saved so far $"] = f"{saved:.2f}"
        lines.append(Line(name=f"{so_far.requests // max(1, len(some)):,}", cells=cells))
    return Section(
        title=f"{name} over time, mean over the seeds", first="requests until", lines=tuple(lines)
    )


def _changed(outcomes: Outcomes) -> list[Section]:
    """Return what a change half way led to, where there was one."""
    lines: list[Line] = []
    for name, some in outcomes.items():
        stale = [one.stale for one in some if one.stale is not None]
        back = [one.back for one in some if one.back is not None]
        fresh = sum((one.fresh for one in some), start=WindowCounts())
        cells: dict[str, Cell] = {}
        if stale:
            cells |= {
                "answers of the old versions": f"{median(stale):g}, at most {max(stale)}",
                "requests until new ones serve": f"{median(back):g}, at most {max(back)}"
                if len(back) == len(stale)
                else f"never in {len(stale) - len(back)} of {len(stale)} seeds",
            }
        if fresh.requests:
            cells |= {
                "unseen intents": fresh.requests,
                "answered": _figure(fresh.answered, fresh.requests),
                "answered wrongly": _figure(fresh.wrong, fresh.requests),
            }
        if cells:
            lines.append(Line(name=name, cells=cells))
    return [Section(title="After the middle", first="system", lines=tuple(lines))] if lines else []
