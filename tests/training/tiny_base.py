"""A pretrained base small enough for a test: random weights, a byte-level tokenizer, a chat template."""

import json
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.task import Step, Task, Trajectory, Turn

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def tiny_base(folder: Path, template: str | None = CHATML, seed: int = 0) -> Path:
    """Write a chat model of some thousand weights to a folder; other seeds give other weights."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["<|im_start|>", "<|im_end|>"]
    vocabulary = {token: number for number, token in enumerate([*special, *alphabet])}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    cast("Any", made).add_special_tokens([AddedToken(one, normalized=False) for one in special])
    tokenizer: Any = PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
        chat_template=template,
    )
    tokenizer.save_pretrained(str(folder))
    cast("Any", torch).manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        eos_token_id=1,
    )
    cast("Any", LlamaForCausalLM(config)).save_pretrained(str(folder))
    assert json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return folder


def short_runs(count: int = 8) -> list[Trajectory]:
    """Return runs of one call and an answer, over the same tool."""
    tool = ToolSpec(
        name="find",
        description="Find it.",
        parameters={
            "type": "object",
            "properties": {"what": {"type": "string", "description": "The thing (e.g. a cup)."}},
            "required": ["what"],
        },
    )
    found: list[Trajectory] = []
    for number in range(count):
        call = ToolCall(id="c", name="find", arguments=json.dumps({"what": f"cup {number}"}))
        first = Step(
            id=0,
            thought="I look.",
            decision="call",
            turns=(Turn.from_file("planner"), Turn.from_file("caller")),
            calls=(call,),
            results=(ToolResult(call_id="c", content=f"shelf {number}"),),
        )
        last = Step(
            id=1,
            parent=0,
            thought="I have it.",
            decision="answer",
            turns=(Turn.from_file("planner"), Turn.from_file("summarizer")),
            answer=f"On shelf {number}.",
        )
        task = Task(input=f"Where is cup {number}?", tools=(tool,))
        found.append(Trajectory(task=task, steps=(first, last), leaf=1, outcome="answered"))
    return found
