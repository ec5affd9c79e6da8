"""Prepare a pretrained model for the roles: its own tokenizer, and how its texts write the marks."""

from pathlib import Path
from typing import Any, Literal, cast

import torch
from tokenizers import AddedToken
from tokenizers import Tokenizer as Trained
from transformers import AutoTokenizer

from toolmint.core.errors import InputError, boundary
from toolmint.core.turns import TURNS_FILE, TurnTexts
from toolmint.roles.marked import (
    END_MARK,
    HINT_MARK,
    MARK,
    OBSERVATION,
    ROLE_MARKS,
    TASK_MARK,
    TOOLS_MARK,
)
from toolmint.training.tokenizer import Tokenizer

RoleTexts = Literal["chat", "marks"]
"""How a pretrained model is told the roles: turns of its chat template, or added tokens."""
_CONTEXT = (TOOLS_MARK, TASK_MARK, HINT_MARK, OBSERVATION)
_TURN_ROLES = {
    TOOLS_MARK: "system",
    TASK_MARK: "user",
    HINT_MARK: "user",
    OBSERVATION: "tool",
    **{mark: "assistant" if role == "summarizer" else role for role, mark in MARK.items()},
}
"""The chat role of each mark: those that the model knows where there is one, else the role's own name."""
_WORDS = {
    TOOLS_MARK: "tools functions documentation",
    TASK_MARK: "user task question",
    HINT_MARK: "user hint",
    OBSERVATION: "observation result output",
    END_MARK: "end",
    MARK["planner"]: "assistant thought plan",
    MARK["caller"]: "assistant function call",
    MARK["summarizer"]: "assistant answer summary",
    MARK["backbone"]: "assistant",
}
"""Words whose mean embedding an added mark begins with."""
_PROBE = "@@0@@"


def is_trained_here(folder: Path) -> bool:
    """Return whether a folder's tokenizer has a token for each mark, so that its model was trained here."""
    path = folder / "tokenizer.json"
    if not path.is_file() or (folder / TURNS_FILE).is_file():
        return False
    trained = boundary(
        lambda: Trained.from_file(str(path)),
        lambda fault: InputError(f"{str(path)!r} is no tokenizer.json: {fault}"),
    )
    return all(trained.token_to_id(mark) is not None for mark in ROLE_MARKS)


def own_tokenizer(base: Path, roles: RoleTexts) -> Tokenizer:
    """Return a pretrained model's own tokenizer with a way to write the marks.

    Args:
        base: the model's folder.
        roles: ``chat`` writes them as turns of the model's chat template, ``marks`` as added tokens.

    Raises:
        InputError: the folder has no ``tokenizer.json``, or its chat template cannot carry the roles.
    """
    path = base / "tokenizer.json"
    trained = boundary(
        lambda: Trained.from_file(str(path)),
        lambda fault: InputError(
            f"{str(base)!r} has no tokenizer.json that can be read, and a pretrained model is used with its "
            f"own tokenizer alone: {str(fault).splitlines()[0]}",
            code="tokenizer-marks",
        ),
    )
    if roles == "chat":
        return Tokenizer(trained, _chat_turns(base))
    cast("Any", trained).add_special_tokens(
        [AddedToken(one, normalized=False) for one in ROLE_MARKS]
    )
    marks = {mark: mark for mark in ROLE_MARKS if mark != END_MARK}
    tokenizer = Tokenizer(
        trained, TurnTexts(begin=marks, end=END_MARK, end_mark=END_MARK, context=())
    )
    many = [mark for mark in ROLE_MARKS if len(tokenizer.encode(mark)) != 1]
    if many:
        raise InputError(
            f"the tokenizer of {str(base)!r} cannot hold {', '.join(many)}: they are not single tokens "
            "there; use its chat template with --roles chat",
            code="tokenizer-marks",
        )
    return tokenizer


def _chat_turns(base: Path) -> TurnTexts:
    """Return the turns of a model's chat template, found by rendering a probe in each role."""

    def refused(fault: Exception) -> InputError:
        return InputError(
            f"the chat template of {str(base)!r} cannot carry the roles: "
            f"{str(fault).splitlines()[0]}; add tokens for them with --roles marks",
            code="tokenizer-marks",
        )

    return boundary(lambda: _probed(base), refused)


def _probed(base: Path) -> TurnTexts:
    tokenizer: Any = cast("Any", AutoTokenizer).from_pretrained(str(base))
    if not tokenizer.chat_template:
        raise ValueError("there is none")
    before = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]

    def rendered(messages: list[dict[str, str]]) -> str:
        return str(tokenizer.apply_chat_template(messages, tokenize=False))

    start = rendered(before)
    texts: dict[str, str] = {}
    ends: set[str] = set()
    for role in dict.fromkeys(_TURN_ROLES.values()):
        whole = rendered([*before, {"role": role, "content": _PROBE}])
        begin, found, end = whole.removeprefix(start).partition(_PROBE)
        if not whole.startswith(start) or not found or not begin.strip() or not end.strip():
            raise ValueError(f"a turn of {role!r} is not written apart")
        texts[role] = begin
        ends.add(end)
    if len(ends) > 1 or len(set(texts.values())) < len(texts):
        raise ValueError("turns of different roles begin alike or end differently")
    begins = {mark: texts[role] for mark, role in _TURN_ROLES.items()}
    return TurnTexts(begin=begins, end=ends.pop(), end_mark=END_MARK, context=_CONTEXT)


def add_mark_rows(model: Any, tokenizer: Tokenizer, seed: int = 0) -> list[int]:  # noqa: ANN401
    """Add a row to a model for each token that its tokenizer has in addition; return their token ids.

    A row begins as the mean embedding of words that describe its mark, with a little noise so that no two are
    the same. The same model, tokenizer and seed give the same rows.
    """
    embedding = model.get_input_embeddings().weight
    there = int(embedding.shape[0])
    added = list(range(there, tokenizer.size))
    marks = {tokenizer.token(mark): mark for mark in ROLE_MARKS}
    if not added:
        return [token for token in marks if token is not None]
    model.resize_token_embeddings(tokenizer.size, mean_resizing=False)
    # With a folder to compare with, PEFT would keep the whole resized embeddings beside the added rows.
    model.name_or_path = ""
    generator = torch.Generator().manual_seed(seed)
    for tied in {id(one): one for one in _token_matrices(model)}.values():
        spread = tied[:there].float().std()
        for token in added:
            words = tokenizer.encode(_WORDS.get(marks.get(token, ""), "token"))
            row = tied[words].float().mean(0)
            noise = torch.randn(row.shape, generator=generator) * spread * 0.1
            tied[token] = (row + noise.to(row.device)).to(tied.dtype)
    return added


def _token_matrices(model: Any) -> list[torch.Tensor]:  # noqa: ANN401
    head = model.get_output_embeddings()
    places = [model.get_input_embeddings(), *([head] if head is not None else [])]
    return [one.weight.data for one in places]
