"""Fits a learned tool: a linear classifier, and thresholds that held-out requests prove."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from toolmint.core.errors import ConfigError
from toolmint.core.tool import Demonstration
from toolmint.maker.learned.answer_kinds import AnswerKind, answer_kind
from toolmint.maker.learned.features import LONGEST_REQUEST, Integers, ngrams
from toolmint.maker.learned.limits import error_limit
from toolmint.maker.learned.model import AnswerLimits, Fitted, LearnedModel, UnseenTest
from toolmint.maker.learned.spans import CopiedSpans, spans_of
from toolmint.maker.learned.values import FitReport, LabelFacts, LearnedExample

if TYPE_CHECKING:
    from toolmint.maker.learned.calibration import Calibrated, CalibrationEvidence
    from toolmint.maker.learned.matrix import Corpus

MOST_LABELS = 512
"""Labels that a model has at most: the most frequent."""
MOST_UNSEEN = 0.12
"""Share of the requests of a label never seen that may be answered, as measured by leaving labels out."""
_GROUPS = 4
_FOLDS, _FOLDS_OF_MANY, _MANY = 10, 5, 6_000
_FEWEST_KEPT = (
    3  # examples of a label that the classifier has; the others are one class, never answered
)
_FEWEST_GROUPED = 6  # labels from which leaving some out says something
_AGAIN = 1.5
_LISTED = 200


class _Material(NamedTuple):
    """Examples to learn from, with their labels in numbers."""

    requests: list[str]
    names: list[str]
    texts: list[str]
    right: Integers  # len(names) stands for all the rare labels
    classes: int
    counts: Counter[str]
    weights: NDArray[np.float64]
    left_out: dict[str, int]
    kind: AnswerKind
    spans: CopiedSpans | None


def fit(
    examples: Sequence[Demonstration],
    *,
    epsilon: float,
    confidence: float,
    seed: int = 0,
    previous: LearnedModel | None = None,
    most_unseen: float = MOST_UNSEEN,
    comparisons: float | None = None,
) -> Fitted:
    """Fit a model to examples, and choose thresholds that keep its wrong answers below a share.

    Args:
        examples: requests with their right answers, the oldest first; ``LearnedExample`` says how each came
            to be labelled, and a plain demonstration counts as one of all requests.
        epsilon: share of its answers that may be wrong.
        confidence: chance that it keeps to that.
        seed: of the division into parts.
        previous: the model before: until the examples have grown by a half since labels were last left
            out, that is not done again, which takes about a third less time.
        most_unseen: share of the requests of a label never seen that may be answered.
        comparisons: live comparisons within which its error is to be proved a second time, if it is; the
            fewer, the stricter the threshold.

    Raises:
        ConfigError: scikit-learn is not installed.
    """
    start = time.process_time()
    material = _material(examples)
    why = _why_not(material, epsilon, confidence)
    if why:
        return Fitted(None, _report(material, why=why, seconds=time.process_time() - start))
    try:
        from toolmint.maker.learned import calibration  # noqa: PLC0415
        from toolmint.maker.learned.matrix import Corpus  # noqa: PLC0415
    except ImportError as fault:
        raise ConfigError(
            "fitting a learned tool needs scikit-learn: pip install 'toolmint[learned]'"
        ) from fault
    corpus = Corpus([ngrams(text) for text in material.requests])
    proving = np.flatnonzero(material.weights > 0)
    known = previous.unseen if previous is not None else None
    if known is not None and len(proving) > _AGAIN * known.examples:
        known = None
    grouped = material.classes >= _FEWEST_GROUPED and known is None
    random = np.random.default_rng(seed)
    evidence = _evidence(material, corpus, groups=_GROUPS if grouped else 0, random=random)
    bound = calibration.Bound(epsilon, confidence, comparisons)
    done = calibration.calibrated(evidence, bound, most_unseen=most_unseen, random=random)
    if grouped:
        known = UnseenTest(len(proving), done.unseen_threshold)
    if done.threshold is None:
        why = f"no threshold keeps wrong answers to held-out requests below {epsilon:g} of them"
        return Fitted(None, _report(material, why=why, seconds=time.process_time() - start))
    threshold = max(done.threshold, known.threshold if known else 0.0)
    model = _model(material, corpus, done, threshold, known)
    proof = _proof(material, evidence, done, threshold, confidence)
    proof |= {"features": model.features, "seconds": time.process_time() - start}
    return Fitted(model, _report(material, **proof))


def _evidence(
    material: _Material, corpus: "Corpus", *, groups: int, random: np.random.Generator
) -> "CalibrationEvidence":
    """Return what models say of requests that they did not learn from, and of labels left out."""
    from toolmint.maker.learned import calibration, training  # noqa: PLC0415 - takes scikit-learn

    right, classes = material.right, material.classes
    folds = _FOLDS if len(right) <= _MANY else _FOLDS_OF_MANY
    proving = np.flatnonzero(material.weights > 0)
    held = training.held_out(corpus, right, classes, proving=proving, folds=folds, random=random)
    left_out = training.unseen(
        corpus, right, classes, proving=proving, groups=groups, random=random
    )
    answerable = np.array(
        [material.counts[name] >= calibration.FEWEST for name in material.names]
        + [False] * (classes - len(material.names))
    )
    return calibration.CalibrationEvidence(
        held,
        right[proving],
        material.weights[proving],
        left_out,
        right[left_out.places],
        answerable,
    )


def _model(
    material: _Material,
    corpus: "Corpus",
    done: "Calibrated",
    threshold: float,
    known: UnseenTest | None,
) -> LearnedModel:
    """Return the model that learns from all examples, with the limits that were found."""
    from toolmint.maker.learned import training  # noqa: PLC0415 - takes scikit-learn

    right, rules = material.right, done.rules
    whole = training.trained(corpus, np.arange(len(right)), right, material.classes)
    bars = np.maximum(rules.bars, threshold)
    return LearnedModel(
        vocabulary=whole.vocabulary,
        weights=whole.weights,
        near=whole.near,
        limits=AnswerLimits(rules.selector, rules.floors, bars, rules.margins),
        labels=material.names,
        texts=material.texts,
        spans=material.spans or CopiedSpans({}),
        unseen=known,
    )


def _material(examples: Sequence[Demonstration]) -> _Material:
    left_out: Counter[str] = Counter()
    used: list[tuple[str, str, float]] = []
    for one in examples:
        if one.target is None:
            left_out["no answer"] += 1
        elif len(one.input) > LONGEST_REQUEST:
            left_out[f"longer than {LONGEST_REQUEST} characters"] += 1
        else:
            weight = one.weight if isinstance(one, LearnedExample) else 1.0
            used.append((one.input, one.target, weight))
    kind = answer_kind([target for _, target, _ in used], [text for text, _, _ in used])
    spans: CopiedSpans | None = CopiedSpans({})
    if kind.kind == "fields":
        spans = spans_of([target for _, target, _ in used], [text for text, _, _ in used])
        if spans is not None and spans.patterns:
            used = [(text, spans.template(target, text), weight) for text, target, weight in used]
    targets = [target.strip() for _, target, _ in used]
    counts = Counter(
        target for target, (_, _, weight) in zip(targets, used, strict=True) if weight > 0
    )
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    for _, target, _ in used:
        forms[target.strip()][target] += 1
    frequent = [name for name, count in counts.most_common(MOST_LABELS) if count >= _FEWEST_KEPT]
    names = sorted(frequent)
    places = {name: place for place, name in enumerate(names)}
    right = np.array([places.get(target, len(names)) for target in targets], dtype=np.int64)
    return _Material(
        requests=[text for text, _, _ in used],
        names=names,
        texts=[forms[name].most_common(1)[0][0] for name in names],
        right=right,
        classes=len(names) + bool((right == len(names)).any()),
        counts=counts,
        weights=np.array([weight for _, _, weight in used], np.float64),
        left_out=dict(left_out),
        kind=kind,
        spans=spans,
    )


def _why_not(material: _Material, epsilon: float, confidence: float) -> str:
    count = len(material.requests)
    if material.kind.kind not in {"labels", "fields"}:
        return f"the answers are no closed set: {material.kind.words}"
    if material.spans is None:
        return "a field of the answers is neither a closed set nor copied from the request"
    if len(material.counts) < 2 and count:
        only = next(iter(material.counts))
        return f"all {count} answers are {only!r:.60}: nothing tells when another is right"
    if error_limit(0, float(material.weights.sum()), confidence) > epsilon:
        return f"{count} examples cannot prove an error of at most {epsilon:g} at {confidence:g} confidence"
    if len(material.names) < 2:
        return f"fewer than 2 of {len(material.counts)} labels have {_FEWEST_KEPT} examples"
    return ""


def _proof(
    material: _Material,
    evidence: "CalibrationEvidence",
    done: "Calibrated",
    threshold: float,
    confidence: float,
) -> dict[str, object]:
    answered = done.chances >= threshold
    said, right, weights = evidence.held.said, evidence.right, evidence.weights
    wrong = answered & (said != right)
    total, shown, bad = (float(weights[one].sum()) for one in (weights > 0, answered, wrong))
    facts: list[LabelFacts] = []
    for place, name in enumerate(material.names):
        bar = float(max(done.rules.bars[place], threshold))
        never = np.isinf(bar)
        facts.append(
            LabelFacts(
                label=name,
                examples=material.counts[name],
                answered=float(weights[answered & (said == place)].sum()),
                wrong=float(weights[wrong & (said == place)].sum()),
                missed=float(weights[wrong & (right == place)].sum()),
                threshold=None if never else bar,
                why="its examples do not prove it" if never else "",
            )
        )
    return {
        "labels": tuple(sorted(facts, key=lambda one: -one.examples)[:_LISTED]),
        "held_out": total,
        "answered": shown,
        "wrong": bad,
        "coverage": shown / total,
        "error": bad / shown if shown else 0.0,
        "error_limit": error_limit(bad, shown, confidence),
        "unseen_answered": float((done.unseen >= threshold).mean()) if len(done.unseen) else None,
        "threshold": threshold,
    }


def _report(material: _Material, **more: object) -> FitReport:
    facts: Mapping[str, object] = {
        "kind": material.kind.kind,
        "examples": len(material.requests),
        "left_out": material.left_out,
        "label_count": len(material.counts),
        "notes": tuple(_notes(material.counts)),
        **more,
    }
    return FitReport.model_validate(facts)


def _notes(counts: Counter[str]) -> list[str]:
    notes: list[str] = []
    alike: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        alike["".join(name.split()).casefold()].append(name)
    for names in alike.values():
        if len(names) > 1:
            said = " and ".join(f"{name!r} ({counts[name]})" for name in sorted(names)[:4])
            notes.append(f"{said} differ in white space or case alone: probably one label")
    once = sum(1 for count in counts.values() if count == 1)
    if once:
        notes.append(f"{once} of {len(counts)} labels were seen once: they are not answered")
    if len(counts) > MOST_LABELS:
        notes.append(f"{len(counts)} labels: the {MOST_LABELS} most frequent are learnt")
    return notes
