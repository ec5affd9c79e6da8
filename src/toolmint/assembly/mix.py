"""Make the mix with the retriever that finds distractors."""

from collections.abc import Callable, Sequence
from pathlib import Path

from toolmint.core.errors import ConfigError
from toolmint.core.messages import ToolSpec
from toolmint.synthesis.tool_tasks import Nearest
from toolmint.training.mix import MixRecipe, make_mix
from toolmint.training.mix_card import MixCard
from toolmint.training.mix_files import MixFiles


def nearest_tools(specs: Sequence[ToolSpec]) -> Nearest:
    """Return what finds the tools nearest to a text by its wording (BM25).

    Raises:
        ConfigError: the extra ``toolmint[retrieval]`` is missing.
    """
    try:
        from toolmint.tools.retrieve import Retriever  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as fault:
        raise ConfigError(
            "distractor tools need the extra: pip install 'toolmint[retrieval]'", code="extra"
        ) from fault
    retriever = Retriever(specs)
    return lambda text, most: [one.spec for one in retriever.rank(text, most)]


def mixed(
    files: MixFiles, folder: Path, recipe: MixRecipe, notify: Callable[[str], None]
) -> MixCard:
    """Write a mix into a folder; see ``training.mix.make_mix``."""
    return make_mix(files, folder, nearest_tools, recipe, notify=notify)
