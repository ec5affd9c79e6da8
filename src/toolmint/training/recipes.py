"""Recipes: the settings of a training run, as functions that return a frozen value."""

from typing import Literal

from pydantic import Field

from toolmint.core.messages import Frozen
from toolmint.roles.view import AgentRole
from toolmint.training.samples import TRAINED_ROLES

Method = Literal["glpft", "multi", "single"]
Optimizer = Literal["adamw", "muon"]
ADAPTER_RANK = 16
"""Rank of the LoRA adapters on a pretrained model, unless another is asked for."""
SampleOrder = Literal["shuffled", "given"]


class Stage(Frozen):
    """One fine-tuning stage.

    Attributes:
        name: also of its folder.
        roles: roles whose spans give the loss.
        learning_rate: peak rate.
        epochs: passes over the samples.
        warmup: share (0 to 1) of the steps in which the rate rises linearly; then it decays as a cosine.
    """

    name: str
    roles: tuple[AgentRole, ...]
    learning_rate: float = Field(gt=0)
    epochs: float = Field(gt=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)


class Architecture(Frozen):
    """The size of a Llama decoder that starts from random weights.

    Attributes:
        width: hidden size.
        layers: number of decoder layers.
        heads: number of attention heads.
        inner: feed-forward size.
        induction_init: attention has biases, and the first layers start as induction heads
            (``training.induction_init``; needs four heads).
    """

    width: int = 256
    layers: int = 6
    heads: int = 4
    inner: int = 768
    induction_init: bool = False

    def parameters(self, vocabulary: int) -> int:
        """Return the number of weights; input and output embeddings are tied."""
        attention = 4 * self.width * (self.width + (1 if self.induction_init else 0))
        forward = 3 * self.width * self.inner
        return (
            vocabulary * self.width
            + self.layers * (attention + forward + 2 * self.width)
            + self.width
        )


class Adapter(Frozen):
    """LoRA adapters (PEFT), in place of full copies of the backbone.

    Attributes:
        rank: of the adapter matrices.
        alpha: scaling numerator of LoRA.
        activated: apply the adapter only from its role's mark on (activated LoRA, arXiv 2504.12397), so that
            all roles share one key-value cache of the context.
        everywhere: the global stage trains an adapter as well, and the local ones continue copies of it; the
            base stays as it is. Else the global stage trains the whole model.
    """

    rank: int = Field(default=16, ge=1)
    alpha: int = Field(default=32, ge=1)
    activated: bool = False
    everywhere: bool = False


class Recipe(Frozen):
    """The settings of a whole run.

    Attributes:
        method: ``glpft`` (global stage, then three local copies), ``multi`` (three local stages from the
            base), or ``single`` (the global stage alone, one model for all roles).
        global_stage: trains on every role's spans (stage 1).
        local_stages: continue a copy each on one role's spans (stage 2).
        architecture: of a base from random weights; None: a base must be given.
        adapter: the local stages, or all, train LoRA adapters; None: full copies.
        batch: trajectories an optimizer step, over all devices.
        micro_batch: trajectories a device processes at once, gradients accumulated; None: its share of the
            batch.
        checkpointing: recompute activations in the backward pass, which saves memory; None: where memory
            would not suffice otherwise.
        packing: rows are filled up to the context with several samples, and samples with the same tools
            read these once (``training.forks``); ``batch`` then counts such rows.
        minutes: bound on the training time of a stage; the rate has fallen to 0 by then.
        context: tokens of the longest sample.
        seed: of weights and order.
        optimizer: ``adamw``, or ``muon`` for the matrices with AdamW for the other parameters.
        order: ``shuffled`` anew each epoch, or as ``given`` (a curriculum). Either way a batch holds samples
            of similar length.
        save_steps: steps between checkpoints.
        held_out: bound on the samples that are held out and read at each checkpoint; one in ten at most.
        copy_constraint: the trajectories name tools in backticks and values in quotes, so inference may
            constrain replies to what was read (``models.copy_constraint``).
        reuse: the local stages train on the global stage's trajectories (alpha-UMi section 3.3); if False,
            each kind of stage gets one half of them.
    """

    method: Method = "glpft"
    global_stage: Stage
    local_stages: tuple[Stage, ...]
    architecture: Architecture | None = None
    adapter: Adapter | None = None
    batch: int = Field(default=48, ge=1)
    micro_batch: int | None = Field(default=None, ge=1)
    checkpointing: bool | None = False
    packing: bool = False
    minutes: float | None = Field(default=None, gt=0)
    context: int = Field(default=4096, ge=16)
    seed: int = 0
    optimizer: Optimizer = "adamw"
    order: SampleOrder = "shuffled"
    save_steps: int = Field(default=500, ge=1)
    held_out: int = Field(default=24, ge=0)
    copy_constraint: bool = False
    reuse: bool = True

    def adapts(self, stage: Stage) -> bool:
        """Return whether a stage trains an adapter."""
        adapter = self.adapter
        return adapter is not None and (adapter.everywhere or stage in self.local_stages)

    def stages(self) -> tuple[Stage, ...]:
        """Return the stages of the method, in order."""
        match self.method:
            case "glpft":
                return (self.global_stage, *self.local_stages)
            case "multi":
                return self.local_stages
            case "single":
                return (self.global_stage,)


def paper() -> Recipe:
    """Return the hyperparameters of alpha-UMi section 4.3: 5e-5 for 2 epochs, then 1e-5 for 1, 1 and 2."""
    return Recipe(
        global_stage=Stage(name="backbone", roles=TRAINED_ROLES, learning_rate=5e-5, epochs=2),
        local_stages=(
            Stage(name="planner", roles=("planner",), learning_rate=1e-5, epochs=1),
            Stage(name="caller", roles=("caller",), learning_rate=1e-5, epochs=1),
            Stage(name="summarizer", roles=("summarizer",), learning_rate=1e-5, epochs=2),
        ),
        micro_batch=1,
        checkpointing=True,
    )


def small(width: int = 256, layers: int = 6, epochs: float = 3) -> Recipe:
    """Return a recipe for a small decoder from random weights, for a laptop."""
    return Recipe(
        global_stage=Stage(name="backbone", roles=TRAINED_ROLES, learning_rate=1e-3, epochs=epochs),
        local_stages=tuple(
            Stage(name=role, roles=(role,), learning_rate=2e-4, epochs=epochs / 3, warmup=0.02)
            for role in TRAINED_ROLES
        ),
        architecture=Architecture(
            width=width, layers=layers, heads=max(1, width // 64), inner=3 * width
        ),
        batch=16,
        context=2048,
    )


def pretrained(rank: int | None = ADAPTER_RANK, epochs: float = 2) -> Recipe:
    """Return a recipe for a pretrained model of 0.1 to 1 billion weights.

    A step reads four rows of 1,024 tokens, packed, so a CPU makes one in some 15 seconds with 135 million
    weights. Adapters take a rate of 1e-3, whole models 5e-5; the local stages half of it, as they begin where
    the global one ended.

    Args:
        rank: of LoRA adapters on every stage; None: whole models.
        epochs: of the global stage.
    """
    rate = 5e-5 if rank is None else 1e-3
    return Recipe(
        global_stage=Stage(
            name="backbone", roles=TRAINED_ROLES, learning_rate=rate, epochs=epochs, warmup=0.05
        ),
        local_stages=tuple(
            Stage(name=role, roles=(role,), learning_rate=rate / 2, epochs=epochs / 2, warmup=0.05)
            for role in TRAINED_ROLES
        ),
        adapter=Adapter(rank=rank, alpha=2 * rank, everywhere=True) if rank is not None else None,
        batch=4,
        micro_batch=1,
        checkpointing=None,
        packing=True,
        context=1024,
        save_steps=15,
    )


def english(minutes: float | None = None) -> Recipe:
    """Return the recipe of the English trio: one adapter for all roles, one pass over short runs of the mix.

    A step reads one packed row, so that the minutes of a CPU are many steps.
    """
    whole = pretrained(ADAPTER_RANK, 1)
    return whole.model_copy(
        update={
            "method": "single",
            "global_stage": whole.global_stage.model_copy(update={"warmup": 0.01}),
            "local_stages": (),
            "minutes": minutes,
            "batch": 1,
            "save_steps": 15,
            "held_out": 8,
        }
    )


def bundled(*, further: bool = False) -> Recipe:
    """Return the recipe of the bundled model: one pass over a curriculum, one decoder for all roles.

    Args:
        further: the base is trained already, so the learning rate is lower.
    """
    rate = 6e-4 if further else 2e-3
    return Recipe(
        global_stage=Stage(
            name="backbone", roles=TRAINED_ROLES, learning_rate=rate, epochs=1, warmup=0.015
        ),
        local_stages=(),
        method="single",
        architecture=Architecture(width=256, layers=6, heads=4, inner=512, induction_init=True),
        batch=10,
        micro_batch=5,
        context=2048,
        optimizer="muon",
        order="given",
        save_steps=200,
        copy_constraint=True,
    )


def for_toolbox(
    minutes: float | None = None,
    epochs: float = 2,
    *,
    rate: float | None = None,
    adapter: bool = True,
) -> Recipe:
    """Return the recipe that trains a trio further for one toolbox: one stage for all roles.

    Args:
        minutes: bound on the training time.
        epochs: passes over the tasks.
        rate: peak learning rate; None: 5e-4 for adapters, 2e-4 for whole models.
        adapter: what is trained further is an adapter on a base; else a whole model.
    """
    recipe = english(minutes)
    peak = rate if rate is not None else 5e-4 if adapter else 2e-4
    stage = recipe.global_stage.model_copy(update={"learning_rate": peak, "epochs": epochs})
    return recipe.model_copy(
        update={
            "global_stage": stage,
            "adapter": recipe.adapter if adapter else None,
            "packing": adapter,
            "batch": recipe.batch if adapter else 16,
            "save_steps": 25,
        }
    )
