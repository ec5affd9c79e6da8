"""Learned tools: a small linear classifier for a class of requests whose answers are a closed set.

``fit`` needs scikit-learn (extra ``learned``), ``LearnedModel`` needs numpy; both load when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from toolmint.maker.learned.answer_kinds import AnswerKind, answer_kind
from toolmint.maker.learned.values import FitReport, LabelFacts, LearnedAnswer, LearnedExample

if TYPE_CHECKING:
    from toolmint.maker.learned.fitting import fit
    from toolmint.maker.learned.model import Fitted, LearnedModel

__all__ = [
    "AnswerKind",
    "FitReport",
    "Fitted",
    "LabelFacts",
    "LearnedAnswer",
    "LearnedExample",
    "LearnedModel",
    "answer_kind",
    "fit",
]

_MODULE_OF = {"Fitted": "model", "LearnedModel": "model", "fit": "fitting"}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
