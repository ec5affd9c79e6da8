"""Classes that came up twice, in two gateways at once, found by their wording."""

from collections.abc import Mapping, Sequence

from toolmint.core.tool import Demonstration
from toolmint.serving.classify import Classifier
from toolmint.serving.request_classes import CERTAIN_SCORE

LOOKED_AT = 3


def duplicate_classes(queued: Mapping[str, Sequence[Demonstration]]) -> dict[str, str]:
    """Return the queued classes that are an older one's, with its name.

    Args:
        queued: demonstrations by class, the oldest class first.
    """
    classifier, found = Classifier(), dict[str, str]()
    for name, them in queued.items():
        older: set[str | None] = set()
        for one in them[:LOOKED_AT]:
            guesses = classifier.rank(one.input, most=1, least=CERTAIN_SCORE)
            older.add(guesses[0].request_class if guesses else None)
        meant = older.pop() if len(older) == 1 else None
        if meant is not None:
            found[name] = meant
        for one in them:
            classifier.learn(meant or name, one.input)
    return found
