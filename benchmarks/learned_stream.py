"""Plays a labelled stream through a learned tool alone: no gateway, the labels are the strong model.

    python benchmarks/learned_stream.py FILE --seeds 20
    python benchmarks/learned_stream.py FILE --seeds 20 --new 7     # labels that appear half way only
    python benchmarks/learned_stream.py FILE --seeds 20 --noise 0.03

A request that the tool does not answer goes to the strong model, and so does a share of those that it does
(audits); what the strong model answers teaches. The tool is fitted anew each time that the
examples have grown by a quarter, and when a label that it does not know was seen three times.
"""

import argparse
import json
import random
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from toolmint.maker.learned import FitReport, LearnedExample, LearnedModel, fit

FIRST, NEW_LABEL, LAST = 300, 3, 2000


class Played(NamedTuple):
    """What one play of the stream came to; shares of 0 to 1."""

    seed: int
    served: int
    wrong: int
    late_coverage: float
    strong: float
    new_requests: int
    new_wrong: int
    fits: int
    fit_seconds: float
    last_fit_seconds: float
    answer_us: float
    size: int


def stream_of(
    rows: list[tuple[str, str]], seed: int, new: int
) -> tuple[list[tuple[str, str]], set[str]]:
    """Return the rows in the order of the seed, and the labels that are moved to the second half."""
    order = random.Random(seed)
    rows = list(rows)
    order.shuffle(rows)
    labels = set(order.sample(sorted({target for _, target in rows}), new))
    early = [row for row in rows if row[1] not in labels]
    moved = [row for row in rows if row[1] in labels]
    half = len(rows) // 2
    late = early[half:] + moved
    order.shuffle(late)
    return early[:half] + late, labels


def told(report: FitReport) -> str:
    """Return what a fit found, in a line."""
    return (
        f"coverage {report.coverage:.3f}, error {report.error:.4f} <= {report.error_limit:.4f}, held out "
        f"{report.held_out:.0f}, unseen {report.unseen_answered}, {report.seconds:.1f} s {report.why}"
    )


def play(args: argparse.Namespace, rows: list[tuple[str, str]], seed: int) -> Played:
    stream, new = stream_of(rows, seed, args.new)
    chance = random.Random(seed + 1000)
    labels = sorted({target for _, target in rows})
    examples: list[LearnedExample] = []
    model: LearnedModel | None = None
    known, strange = set[str](), Counter[str]()
    next_fit, fits, seconds, last_seconds = float(FIRST), 0, 0.0, 0.0
    served = wrong = strong = late = new_wrong = 0
    spent, labelled = 0.0, 0
    for number, (request, right) in enumerate(stream):
        said = right if chance.random() >= args.noise else chance.choice(labels)
        text = None
        if model is not None:
            start = time.perf_counter()
            text = model.answer(request).text
            spent += time.perf_counter() - start
        audited = text is not None and chance.random() < args.audit_rate
        if text is not None:
            served += 1
            wrong += text != said
            new_wrong += right in new and text != right
            late += number >= len(stream) - LAST
        if text is not None and not audited and args.own:
            examples.append(LearnedExample(input=request, target=text, drawn="answered"))
        if text is None or audited:
            strong += 1
            labelled += 1
            drawn = "all" if model is None else "audit" if audited else "abstained"
            examples.append(
                LearnedExample(input=request, target=said, drawn=drawn, audit_rate=args.audit_rate)
            )
            strange[said] += said not in known
        if labelled >= next_fit or (
            model and strange[said] == args.new_label and said not in known
        ):
            fitted = fit(
                examples,
                epsilon=args.epsilon,
                confidence=0.95,
                previous=model,
                most_unseen=args.unseen,
            )
            fits, seconds, last_seconds = (
                fits + 1,
                seconds + fitted.report.seconds,
                fitted.report.seconds,
            )
            if args.verbose:
                print(
                    f"    at {number + 1}: {told(fitted.report)}; {wrong}/{served} wrong",
                    flush=True,
                )
            if labelled >= next_fit:
                next_fit = labelled * args.growth
            if fitted.model is not None:
                model = fitted.model
                known = {
                    target
                    for target, count in Counter(e.target or "" for e in examples).items()
                    if count >= args.new_label
                }
            strange.clear()
    return Played(
        seed=seed,
        served=served,
        wrong=wrong,
        late_coverage=late / LAST,
        strong=strong / len(stream),
        new_requests=sum(right in new for _, right in stream),
        new_wrong=new_wrong,
        fits=fits,
        fit_seconds=seconds,
        last_fit_seconds=last_seconds,
        answer_us=1e6 * spent / max(len(stream), 1),
        size=len(model.to_bytes()) if model else 0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help='JSON lines with "input" and "target"')
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--new", type=int, default=0, help="labels that appear half way only")
    parser.add_argument(
        "--noise",
        type=float,
        default=0.0,
        help="share of the strong model's answers that are random",
    )
    parser.add_argument("--audit-rate", type=float, default=0.05)
    parser.add_argument("--epsilon", type=float, default=0.05)
    parser.add_argument("--growth", type=float, default=1.25)
    parser.add_argument("--unseen", type=float, default=0.12)
    parser.add_argument("--new-label", type=int, default=NEW_LABEL)
    parser.add_argument(
        "--own", action="store_true", help="learn from its own unchecked answers too"
    )
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.file.read_text().splitlines() if line.strip()]
    pairs = [(row["input"], row["target"]) for row in rows]
    plays: list[Played] = []
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        one = play(args, pairs, seed)
        plays.append(one)
        print(
            f"seed {seed}: error {one.wrong / max(one.served, 1):.4f} of {one.served}, late coverage "
            f"{one.late_coverage:.3f}, strong {one.strong:.3f}, new {one.new_wrong}/{one.new_requests}, "
            f"{one.fits} fits {one.fit_seconds:.0f} s (last {one.last_fit_seconds:.1f}), "
            f"answer {one.answer_us:.0f} us, {one.size / 1e6:.2f} MB",
            flush=True,
        )
    errors = [one.wrong / max(one.served, 1) for one in plays]
    print(
        f"over {len(plays)} seeds: error mean {statistics.mean(errors):.4f}, worst {max(errors):.4f}; "
        f"seeds above {args.epsilon:g}: {sum(e > args.epsilon for e in errors)}; "
        f"coverage of the last {LAST}: mean {statistics.mean(o.late_coverage for o in plays):.3f}, "
        f"worst {min(o.late_coverage for o in plays):.3f}; "
        f"strong calls: mean {statistics.mean(o.strong for o in plays):.3f}, "
        f"worst {max(o.strong for o in plays):.3f}; "
        f"new labels answered wrongly: {sum(o.new_wrong for o in plays)}/{sum(o.new_requests for o in plays)}"
    )


if __name__ == "__main__":
    main()
