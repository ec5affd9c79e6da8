"""What goes into a fit and what comes out of it: examples, the report, a learned answer."""

from typing import Literal, NamedTuple, TypeAlias

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.core.tool import Demonstration

Drawn: TypeAlias = Literal["all", "audit", "abstained", "answered"]
"""How an example came to be: every request went to the strong model; the tool answered and was audited; the
tool abstained; or the tool answered, nobody looked, and the target is its own answer."""


class LearnedExample(Demonstration):
    """A request with the strong model's answer, and how it came to be labelled.

    Once a tool answers, what the strong model still sees is no fair sample of the traffic: mostly requests on
    which the tool abstains. ``weight`` makes it one again: with every request that was labelled
    whatever the tool did (``all``), and every audited answer, counting as one, an abstention counts as the
    share of the answers that is audited at that time. Then each request of the traffic had the same chance.
    The tool's own unchecked answers (``answered``) prove nothing and weigh nothing. They are learnt from all
    the same: where a tool answers, few requests are labelled, and without them the next version would know
    less there than the one before.

    Attributes:
        drawn: how it came to be.
        audit_rate: share of the tool's answers that was audited when it was labelled.
    """

    drawn: Drawn = "all"
    audit_rate: float = Field(default=1.0, gt=0, le=1)

    @property
    def weight(self) -> float:
        """Return what the example counts in a calibration, 0 to 1."""
        match self.drawn:
            case "all" | "audit":
                return 1.0
            case "abstained":
                return self.audit_rate
            case "answered":
                return 0.0


class LearnedAnswer(NamedTuple):
    """What a learned tool says to a request.

    Attributes:
        text: the answer in the class's own form; None: it abstains.
        label: the label that it thinks right, also where it abstains; None: it has no opinion.
        probability: estimated chance that the label is right, 0 to 1.
        why: why it abstains, in words; empty if it answers.
    """

    text: str | None
    label: str | None
    probability: float
    why: str


class LabelFacts(Frozen):
    """A label in a fit.

    Attributes:
        label: the label.
        examples: examples that have it.
        answered: weighted held-out requests that are answered with it.
        wrong: those of them whose right answer is another.
        missed: weighted held-out requests of this label that are answered with another.
        threshold: the estimated chance of being right from which it is answered; None: it never is.
        why: why it is never answered; empty if it is.
    """

    label: str
    examples: int
    answered: float = 0
    wrong: float = 0
    missed: float = 0
    threshold: float | None = None
    why: str = ""


class FitReport(Frozen):
    """The evidence of a fit; ``why`` says why there is no model, and is empty if there is one.

    Attributes:
        kind: kind of the answers.
        examples: examples that were learnt from.
        left_out: examples that were not, by reason.
        labels: facts on each label (at most 200, the most frequent first).
        label_count: how many labels there are.
        features: features of a request that the model weighs.
        held_out: weighted held-out requests that the thresholds were chosen on.
        answered: those of them that it answers.
        wrong: those that it answers wrongly.
        coverage: expected share of requests that are answered.
        error: expected share of answers that are wrong.
        error_limit: upper limit of that share at the confidence asked for.
        unseen_answered: expected share of requests of a label never seen that would be answered.
        threshold: the estimated chance of being right from which any label is answered.
        seconds: CPU time of the fit.
        notes: what a person should look at, a line each (labels that are probably one, labels seen once).
        why: why there is no model.
    """

    kind: str
    examples: int
    left_out: dict[str, int] = Field(default_factory=dict)
    labels: tuple[LabelFacts, ...] = ()
    label_count: int = 0
    features: int = 0
    held_out: float = 0
    answered: float = 0
    wrong: float = 0
    coverage: float = 0
    error: float = 0
    error_limit: float = 1
    unseen_answered: float | None = None
    threshold: float | None = None
    seconds: float = 0
    notes: tuple[str, ...] = ()
    why: str = ""
