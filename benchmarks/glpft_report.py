"""Tables and plots of the training experiments."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import numpy as np

from toolmint.evaluation.bootstrap import estimate, share
from toolmint.evaluation.compare import win_rate
from toolmint.evaluation.report import Estimate, interval, percent

mpl.use("svg")
from matplotlib import pyplot as plt

Body = dict[str, Any]
NAMES = {
    ("single", True, "compute"): "one model, equal compute",
    ("single", True, "epochs"): "one model, equal epochs",
    ("multi", True, "compute"): "three models, one stage",
    ("glpft", True, "compute"): "GLPFT",
    ("glpft", False, "compute"): "GLPFT without reuse",
}
SPLITS = (("train", "seen"), ("unseen", "unseen"))
METRICS = ("plan_acc", "act_em", "hallucination", "arg_f1", "rouge_l")


def name_of(body: Body) -> str:
    cell = body["cell"]
    return NAMES[cell["method"], cell["reuse"], cell["budget"]]


def grouped(bodies: Sequence[Body]) -> dict[str, list[Body]]:
    """Return the cells of each method, of the size that all methods have."""
    sizes = [body["cell"]["size"] for body in bodies if body["cell"]["method"] == "multi"]
    found: dict[str, list[Body]] = defaultdict(list)
    for body in bodies:
        if body["cell"]["size"] == sizes[0]:
            found[name_of(body)].append(body)
    return found


def passes(bodies: Sequence[Body], split: str, search: str) -> Estimate:
    """Return the share of runs that passed, over all seeds; runs of one task are one cluster."""
    runs = [run for body in bodies for run in body[split][search]]
    return share([run["passed"] for run in runs], [run["task"] for run in runs])


def difference(first: Sequence[Body], second: Sequence[Body], split: str, search: str) -> Estimate:
    """Return by how much more of the first one's runs passed, the same tasks and seeds on both sides."""
    rows: list[list[float]] = []
    tasks: list[str] = []
    for one, other in zip(first, second, strict=True):
        if not (one[split][search] and other[split][search]):
            continue
        for mine, theirs in zip(one[split][search], other[split][search], strict=True):
            rows.append([float(mine["passed"]) - float(theirs["passed"]), 1.0])
            tasks.append(mine["task"])
    return estimate(np.array(rows), tasks, lambda sums: sums[:, 0] / sums[:, 1])


def wins(first: Sequence[Body], second: Sequence[Body], split: str, search: str) -> str:
    """Write how often the first one's run won (it alone passed, or in fewer steps), lost, and tied (%)."""
    pairs = [
        (
            {"passed": mine["passed"], "steps": mine["steps"]},
            {"passed": theirs["passed"], "steps": theirs["steps"]},
        )
        for one, other in zip(first, second, strict=True)
        for mine, theirs in zip(one[split][search], other[split][search], strict=False)
    ]
    rate = win_rate(pairs)
    return " / ".join(percent(part.value) for part in rate)


def seeds(values: Sequence[float | None]) -> str:
    """Write the mean over seeds, and its range; one seed has none."""
    known = [100 * value for value in values if value is not None]
    if len(known) < 2:
        return f"{known[0]:.1f}" if known else "-"
    return f"{statistics.mean(known):.1f} ({min(known):.1f} to {max(known):.1f})"


def row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join([row(head), row(["---"] * len(head)), *(row(one) for one in rows), ""])


def first_table(found: dict[str, list[Body]]) -> str:
    """Return Table 1: static metrics, mean over seeds and range."""
    head = ["method", "tools", "Plan ACC", "Act. EM", "Hallu.", "Arg. F1", "R-L"]
    rows = [
        [name, said, *(seeds([body[split]["static"][one] for body in bodies]) for one in METRICS)]
        for name, bodies in found.items()
        for split, said in SPLITS
    ]
    return table(head, rows)


def second_table(found: dict[str, list[Body]]) -> str:
    """Return Table 2: executed success by both searches, GLPFT's lead over each, and its wins."""
    best = found.get(NAMES["glpft", True, "compute"], [])
    rows: list[list[str]] = []
    for name, bodies in found.items():
        for split, said in SPLITS:
            cells = [name, said]
            for search in ("react", "dfsdt"):
                cells.append(interval(passes(bodies, split, search)))
                lead = difference(best[: len(bodies)], bodies, split, search)
                won = wins(best[: len(bodies)], bodies, split, search)
                cells += ["-", "-"] if bodies is best else [interval(lead), won]
            rows.append(cells)
    own = ("GLPFT leads by", "GLPFT wins / loses / ties")
    head = ["method", "tools", "ReACT pass", *own, "DFSDT pass", *own]
    return table(head, rows)


def _samples(body: Body) -> float:
    card = body["card"]
    return sum(stage["steps"] for stage in card["stages"]) * card["recipe"]["batch"]


def third_table(found: dict[str, list[Body]]) -> str:
    """Return Table 3: what training and playing take."""
    one = next(iter(found.values()))[0]

    def mean(bodies: Sequence[Body], value: Callable[[Body], float]) -> float:
        return statistics.mean(value(body) for body in bodies)

    rows = [
        [
            name,
            f"{mean(bodies, _samples):,.0f}",
            f"{mean(bodies, lambda body: body['seconds']):.0f}",
            f"{max(body['memory'] for body in bodies) / 2**30:.2f}",
            f"{mean(bodies, lambda body: body['storage']) / one['storage']:.1f}",
            f"{mean(bodies, lambda body: body['unseen']['step_ms']):.0f}",
        ]
        for name, bodies in found.items()
    ]
    head = [
        "method",
        "samples read",
        "training (s)",
        "peak memory (GiB)",
        "storage (GLPFT: 1)",
        "step (ms)",
    ]
    return table(head, rows)


def canvas(width: int) -> tuple[Any, Any]:
    return cast("tuple[Any, Any]", plt.subplots(figsize=(width, 4)))


def scaling(bodies: Sequence[Body], out: Path) -> None:
    """Draw Figure 4: executed success on unseen tools by the number of trajectories."""
    figure, axes = canvas(6)
    sizes: list[int] = []
    for method in ("single", "glpft"):
        mine = sorted(
            (
                body
                for body in bodies
                if body["cell"]["method"] == method
                and body["cell"]["seed"] == 0
                and body["cell"]["reuse"]
                and body["cell"]["budget"] == "compute"
            ),
            key=lambda body: body["cell"]["size"],
        )
        sizes = [body["cell"]["size"] for body in mine]
        found = [passes([body], "unseen", "react") for body in mine]
        values = [100 * (one.value or 0) for one in found]
        low = [value - 100 * (one.low or 0) for value, one in zip(values, found, strict=True)]
        high = [100 * (one.high or 0) - value for value, one in zip(values, found, strict=True)]
        axes.errorbar(
            sizes,
            values,
            yerr=[low, high],
            marker="o",
            capsize=3,
            label=NAMES[method, True, "compute"],
        )
    axes.set(xscale="log", xlabel="trajectories", ylabel="executed success, unseen tools (%)")
    axes.legend()
    axes.set_ylim(bottom=0)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    figure.tight_layout()
    figure.savefig(out / "scaling.svg")
    plt.close(figure)


def losses(found: dict[str, list[Body]], out: Path) -> None:
    """Draw Figure 5: held-out loss by span after each stage."""
    roles = ("planner", "caller", "summarizer")
    bars: list[tuple[str, list[float]]] = []
    for name, bodies in found.items():
        stages = bodies[0]["losses"]
        if "backbone" in stages:
            means = [
                statistics.mean(body["losses"]["backbone"][role] for body in bodies)
                for role in roles
            ]
            bars.append((f"{name}, global stage" if len(stages) > 1 else name, means))
        if "planner" in stages:
            own = [statistics.mean(body["losses"][role][role] for body in bodies) for role in roles]
            bars.append((f"{name}, own stage", own))
    figure, axes = canvas(8)
    width = 0.8 / max(1, len(bars))
    for number, (name, values) in enumerate(bars):
        axes.bar(np.arange(len(roles)) + number * width, values, width, label=name)
    axes.set_xticks(np.arange(len(roles)) + 0.4 - width / 2, roles)
    axes.set_ylabel("loss a token, unseen tools")
    axes.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(out / "losses.svg")
    plt.close(figure)


def write(bodies: Sequence[Body], out: Path) -> None:
    """Write the tables and the plots."""
    out.mkdir(parents=True, exist_ok=True)
    found = grouped(bodies)
    losses(found, out)
    cell = bodies[0]["cell"]
    trained = ", ".join(f"{name} {len(mine)}" for name, mine in found.items())
    made = (
        f"{len(bodies)} cells; {cell['size']} trajectories to learn from, {cell['tasks']} tasks a side, "
        f"static steps of {cell['static']} runs a side. Seeds: {trained}; DFSDT with the first seed alone. "
        "Leads are over the same tasks and seeds."
    )
    text = [
        "# GLPFT in miniature",
        "",
        f"Made by `python benchmarks/glpft.py`. {made}",
        "",
        "## Static metrics (%), mean over seeds and range",
        "",
        first_table(found),
        "## Executed success (%), 95 % intervals over tasks",
        "",
        second_table(found),
        "## What it takes",
        "",
        third_table(found),
        "## Held-out loss by span and stage",
        "",
        "![loss by span](losses.svg)",
        "",
    ]
    if len({body["cell"]["size"] for body in bodies}) > 1:
        scaling(bodies, out)
        text += ["## Data scaling", "", "![success by size](scaling.svg)", ""]
    lead = difference(
        found[NAMES["glpft", True, "compute"]],
        found[NAMES["single", True, "compute"]],
        "unseen",
        "react",
    )
    text += [
        f"GLPFT against one model of equal compute, unseen tools, ReACT: {interval(lead)} points."
    ]
    (out / "README.md").write_text("\n".join(text) + "\n", encoding="utf-8")
    print(f"{out / 'README.md'}: lead {percent(lead.value)} points")
