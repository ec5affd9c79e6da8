"""Recipes: how a trio is trained, as values that functions give."""

from typing import Literal

from pydantic import Field

from toolwright.core.messages import Frozen
from toolwright.roles.view import AgentRole

Method = Literal["glpft", "multi", "single"]
Optimizer = Literal["adamw", "muon"]
Order = Literal["shuffled", "given"]


class Stage(Frozen):
    """One fine-tuning: which roles' words are learnt, for how long, and how fast.

    ``warmup`` is a share of the steps; the rate then falls as a cosine.
    """

    name: str
    roles: tuple[AgentRole, ...]
    learning_rate: float = Field(gt=0)
    epochs: float = Field(gt=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)


class Architecture(Frozen):
    """A Llama decoder that begins with random weights: its width, depth, heads and feed-forward width.

    ``copying``: attention has biases, and its first layers begin with heads that copy (``induction``, which
    asks for four heads).
    """

    width: int = 256
    layers: int = 6
    heads: int = 4
    inner: int = 768
    copying: bool = False

    def parameters(self, vocabulary: int) -> int:
        """Give the number of weights, embeddings shared between input and output."""
        attention = 4 * self.width * (self.width + (1 if self.copying else 0))
        forward = 3 * self.width * self.inner
        return (
            vocabulary * self.width
            + self.layers * (attention + forward + 2 * self.width)
            + self.width
        )


class Adapter(Frozen):
    """LoRA for the local stages, in place of whole copies (PEFT).

    ``activated``: the adapter reads its role's words alone (activated LoRA, arXiv 2504.12397), so all roles
    share one cache of everything else.
    """

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    activated: bool = False


class Recipe(Frozen):
    """A whole training: global stage, local stages, batch, context, seed.

    Attributes:
        method: ``glpft`` (global, then three local copies), ``multi`` (three local ones from the start), or
            ``single`` (the global stage alone, one model for all roles).
        architecture: of a base that is made from random weights; None: a base is given.
        adapter: local stages train one on the backbone; None: a whole copy.
        batch: trajectories a step, over all devices.
        at_once: trajectories that a device reads at once, gradients summed up; None: its share of the batch.
        checkpointing: activations are computed again in the backward pass, which saves memory.
        optimizer: AdamW, or Muon for the matrices with AdamW for the rest.
        order: each epoch anew by chance, or as the samples come (a curriculum); either way a batch holds
            samples of like length.
        save_steps: steps between checkpoints.
        reuse: the local stages learn from the global stage's trajectories (alpha-UMi section 3.3); if not,
            each kind of stage has one half of them.
        held: plans name tools in backticks and values in quotes, so replies can be held to what was read.
    """

    method: Method = "glpft"
    whole: Stage
    local: tuple[Stage, ...]
    architecture: Architecture | None = None
    adapter: Adapter | None = None
    batch: int = Field(default=48, ge=1)
    at_once: int | None = Field(default=None, ge=1)
    checkpointing: bool = False
    context: int = Field(default=4096, ge=16)
    seed: int = 0
    optimizer: Optimizer = "adamw"
    order: Order = "shuffled"
    save_steps: int = Field(default=500, ge=1)
    held: bool = False
    reuse: bool = True

    def stages(self) -> tuple[Stage, ...]:
        """Give the stages that the method has, in order."""
        match self.method:
            case "glpft":
                return (self.whole, *self.local)
            case "multi":
                return self.local
            case "single":
                return (self.whole,)


EVERY: tuple[AgentRole, ...] = ("planner", "caller", "summarizer")


def paper() -> Recipe:
    """Give the hyperparameters of alpha-UMi section 4.3: 5e-5 for 2 epochs, then 1e-5 for 1, 1 and 2."""
    return Recipe(
        whole=Stage(name="backbone", roles=EVERY, learning_rate=5e-5, epochs=2),
        local=(
            Stage(name="planner", roles=("planner",), learning_rate=1e-5, epochs=1),
            Stage(name="caller", roles=("caller",), learning_rate=1e-5, epochs=1),
            Stage(name="summarizer", roles=("summarizer",), learning_rate=1e-5, epochs=2),
        ),
        at_once=1,
        checkpointing=True,
    )


def small(width: int = 256, layers: int = 6, epochs: float = 3) -> Recipe:
    """Give a recipe for a decoder from random weights on a laptop."""
    return Recipe(
        whole=Stage(name="backbone", roles=EVERY, learning_rate=1e-3, epochs=epochs),
        local=tuple(
            Stage(name=role, roles=(role,), learning_rate=2e-4, epochs=epochs / 3, warmup=0.02)
            for role in EVERY
        ),
        architecture=Architecture(
            width=width, layers=layers, heads=max(1, width // 64), inner=3 * width
        ),
        batch=16,
        context=2048,
    )


def shipped(*, further: bool = False) -> Recipe:
    """Give the recipe of a trio as the package ships one: one pass over a curriculum, for all roles.

    ``further``: for one that has learnt already, with a lower rate.
    """
    rate = 6e-4 if further else 2e-3
    return Recipe(
        whole=Stage(name="backbone", roles=EVERY, learning_rate=rate, epochs=1, warmup=0.015),
        local=(),
        method="single",
        architecture=Architecture(width=256, layers=6, heads=4, inner=512, copying=True),
        batch=10,
        at_once=5,
        context=2048,
        optimizer="muon",
        order="given",
        save_steps=200,
        held=True,
    )
