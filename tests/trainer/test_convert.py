"""Weights in the layouts of others: the same logits, from their own formulas."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from trainer import convert
from trainer.convert import (
    META,
    export_hugging_face,
    export_meta,
    import_weights,
    meta_params,
    to_theirs,
)
from trainer.errors import TrainerError
from trainer.model import Llama, ModelSettings, RopeScaling
from trainer.presets import LLAMA31_ROPE_SCALING, PRESETS

VOCABULARY = 700  # of the fixture `small_tokenizer`
MHA = ModelSettings(64, 2, 4, 4, 160, VOCABULARY, 64, norm_eps=1e-6)
GQA = ModelSettings(64, 2, 8, 2, 176, VOCABULARY, 64, norm_eps=1e-2, rope_theta=500_000.0)
# Of 8 wavelengths here some are shorter, some between and some longer than the bounds.
SCALED = replace(GQA, heads=4, rope_theta=10_000.0, rope_scaling=RopeScaling(8.0, 1.0, 4.0, 64))
# What Meta's layout can say; theta puts some wavelengths beyond 8192.
LLAMA31 = replace(GQA, rope_scaling=LLAMA31_ROPE_SCALING)
SHAPES = {"mha": MHA, "gqa": GQA, "scaled": SCALED, "llama31": LLAMA31}
META_SHAPES = {name: SHAPES[name] for name in ("mha", "gqa", "llama31")}


def model_of(settings: ModelSettings) -> Llama:
    """Weights large enough that a wrong formula shows."""
    model = Llama(settings)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            mean = 1.0 if weight.dim() == 1 else 0.0
            weight.normal_(mean, 0.2, generator=generator)
    return model.eval()


def tokens_of(settings: ModelSettings) -> Tensor:
    return torch.randint(
        VOCABULARY, (2, settings.context), generator=torch.Generator().manual_seed(2)
    )


def logits_of(model: Any, tokens: Tensor) -> Tensor:
    with torch.no_grad():
        out = model(tokens)
    return out if isinstance(out, Tensor) else out.logits


def meta_logits(
    weights: dict[str, Tensor], params: dict[str, Any], tokens: Tensor, scaling: RopeScaling | None
) -> Tensor:
    """Meta's formula: neighbours of a head are a complex number, which its position turns."""
    batch, length = tokens.shape
    heads, kv_heads = params["n_heads"], params.get("n_kv_heads", params["n_heads"])
    size = params["dim"] // heads
    frequencies = []
    for pair in range(size // 2):
        frequency = params.get("rope_theta", 10_000.0) ** (-2 * pair / size)
        if scaling is not None:
            wavelength = 2 * math.pi / frequency
            low = scaling.original_context / scaling.low_frequency_factor
            high = scaling.original_context / scaling.high_frequency_factor
            if wavelength > low:
                frequency /= scaling.factor
            elif wavelength >= high:
                share = (scaling.original_context / wavelength - scaling.low_frequency_factor) / (
                    scaling.high_frequency_factor - scaling.low_frequency_factor
                )
                frequency *= share + (1 - share) / scaling.factor
        frequencies.append(frequency)
    angles = torch.arange(length)[:, None] * torch.tensor(frequencies)
    turns = torch.polar(torch.ones_like(angles), angles)

    def norm(x: Tensor, name: str) -> Tensor:
        mean = x.pow(2).mean(-1, keepdim=True)
        return x * (mean + params["norm_eps"]).rsqrt() * weights[name]

    def turned(x: Tensor) -> Tensor:
        pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
        return torch.view_as_real(pairs * turns[:, None]).flatten(-2)

    x = weights["tok_embeddings.weight"][tokens]
    for layer in range(params["n_layers"]):
        own = f"layers.{layer}."
        h = norm(x, f"{own}attention_norm.weight")
        query, key, value = (
            (h @ weights[f"{own}attention.{name}.weight"].T).view(batch, length, -1, size)
            for name in ("wq", "wk", "wv")
        )
        query, key = turned(query), turned(key)
        key, value = (part.repeat_interleave(heads // kv_heads, 2) for part in (key, value))
        scores = torch.einsum("bqhd,bkhd->bhqk", query, key) / math.sqrt(size)
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        shares = scores.masked_fill(later, -math.inf).softmax(-1)
        mixed = torch.einsum("bhqk,bkhd->bqhd", shares, value).reshape(batch, length, -1)
        x = x + mixed @ weights[f"{own}attention.wo.weight"].T
        h = norm(x, f"{own}ffn_norm.weight")
        gate, up = (h @ weights[f"{own}feed_forward.{name}.weight"].T for name in ("w1", "w3"))
        x = x + (gate * torch.sigmoid(gate) * up) @ weights[f"{own}feed_forward.w2.weight"].T
    return norm(x, "norm.weight") @ weights["output.weight"].T


@pytest.mark.parametrize("name", META_SHAPES)
def test_exported_to_meta_its_formula_gives_our_logits(
    name: str, small_tokenizer: Path, tmp_path: Path
) -> None:
    settings = META_SHAPES[name]
    model = model_of(settings)
    tokens = tokens_of(settings)
    export_meta(model, tmp_path / "meta", small_tokenizer)
    weights = torch.load(tmp_path / "meta" / "consolidated.00.pth", weights_only=True)
    params = json.loads((tmp_path / "meta" / "params.json").read_text())
    assert params.get("use_scaled_rope", False) == (settings.rope_scaling is not None)
    ours = logits_of(model, tokens)
    theirs = meta_logits(weights, params, tokens, settings.rope_scaling)
    torch.testing.assert_close(theirs, ours, atol=1e-4, rtol=0)
    assert (tmp_path / "meta" / "tokenizer.model").read_bytes() == small_tokenizer.read_bytes()


@pytest.mark.parametrize("name", META_SHAPES)
def test_metas_formula_without_the_permutation_gives_other_logits(name: str) -> None:
    """The control: were rows left in our order, the test above would fail."""
    settings = META_SHAPES[name]
    model = model_of(settings)
    tokens = tokens_of(settings)
    plain = to_theirs(model.state_dict(), settings, META._replace(turned=()))
    theirs = meta_logits(plain, meta_params(settings), tokens, settings.rope_scaling)
    assert (theirs - logits_of(model, tokens)).abs().max() > 0.1


META_SETTINGS = {name: preset.model for name, preset in PRESETS.items()} | META_SHAPES


@pytest.mark.parametrize("name", META_SETTINGS)
def test_metas_own_code_takes_the_params_and_makes_the_same_shape(name: str) -> None:
    """It calls `ModelArgs(max_seq_len=..., max_batch_size=..., **params)`."""
    settings = META_SETTINGS[name]
    params = meta_params(settings)
    llama1 = {"dim", "n_layers", "n_heads", "vocab_size", "multiple_of", "norm_eps"}
    later = {"n_kv_heads", "ffn_dim_multiplier", "rope_theta", "use_scaled_rope"}
    assert set(params) <= llama1 | later
    if name.startswith("llama1"):
        assert set(params) == llama1
    hidden = int(2 * (4 * params["dim"]) / 3)
    if "ffn_dim_multiplier" in params:
        hidden = int(params["ffn_dim_multiplier"] * hidden)
    multiple = params["multiple_of"]
    assert multiple * ((hidden + multiple - 1) // multiple) == settings.hidden
    assert params.get("n_kv_heads", params["n_heads"]) == settings.kv_heads
    assert params.get("rope_theta", 10_000.0) == settings.rope_theta


@pytest.mark.parametrize("layout", [export_meta, export_hugging_face])
@pytest.mark.parametrize("name", META_SHAPES)
def test_a_round_trip_is_bit_for_bit(
    layout: Any, name: str, small_tokenizer: Path, tmp_path: Path
) -> None:
    model = model_of(META_SHAPES[name])
    layout(model, tmp_path / "out", small_tokenizer)
    # Meta's layout does not say the context.
    again = import_weights(tmp_path / "out", MHA.context if layout is export_meta else None)
    assert again.settings == model.settings
    theirs = again.state_dict()
    for weight_name, weight in model.state_dict().items():
        assert torch.equal(theirs[weight_name], weight), weight_name
    tokens = tokens_of(model.settings)
    assert torch.equal(logits_of(again, tokens), logits_of(model, tokens))


@pytest.mark.parametrize("name", SHAPES)
def test_transformers_gives_our_logits(name: str, small_tokenizer: Path, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="pip install '.[interop]'")
    settings = SHAPES[name]
    model = model_of(settings)
    tokens = tokens_of(settings)
    export_hugging_face(model, tmp_path / "hf", small_tokenizer)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf").eval()
    assert type(theirs).__name__ == "LlamaForCausalLM"
    assert theirs.dtype == torch.float32
    ours = logits_of(model, tokens)
    torch.testing.assert_close(logits_of(theirs, tokens), ours, atol=1e-4, rtol=0)
    for changed in (
        replace(settings, norm_eps=settings.norm_eps + 1e-2),
        replace(settings, rope_theta=settings.rope_theta * 3),
        replace(settings, rope_scaling=RopeScaling(2.0, 1.0, 4.0, 64)),
    ):
        # The control: each of these numbers does decide the logits.
        other = Llama(changed)
        other.load_state_dict(model.state_dict())
        assert (logits_of(other, tokens) - ours).abs().max() > 1e-2, changed


@pytest.mark.parametrize("name", SHAPES)
def test_what_transformers_saved_is_imported(name: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="pip install '.[interop]'")
    settings = SHAPES[name]
    data = convert.hugging_face_config(settings, torch.float32)
    data.pop("torch_dtype")
    torch.manual_seed(3)
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**data, initializer_range=0.2)
    ).eval()
    theirs.save_pretrained(tmp_path / "hf")
    model = import_weights(tmp_path / "hf")
    assert model.settings == settings
    tokens = tokens_of(settings)
    ours = logits_of(model, tokens)
    torch.testing.assert_close(ours, logits_of(theirs, tokens), atol=1e-4, rtol=0)
    assert ours.std() > 0.5


def test_the_exported_tokenizer_gives_sentencepieces_ids(
    small_tokenizer: Path, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers", reason="pip install '.[interop]'")
    sentencepiece = pytest.importorskip("sentencepiece")
    export_hugging_face(model_of(MHA), tmp_path / "hf", small_tokenizer)
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path / "hf")
    ours = sentencepiece.SentencePieceProcessor(model_file=str(small_tokenizer))
    for text in ("A clean dataset.", "  two  blanks", "naïve 東京 🙂\n\tend", "1234"):
        assert theirs(text)["input_ids"] == [ours.bos_id(), *ours.encode(text)], text
        assert theirs.decode(theirs(text)["input_ids"], skip_special_tokens=True) == text
    config = json.loads((tmp_path / "hf" / "config.json").read_text())
    assert (config["bos_token_id"], config["eos_token_id"]) == (ours.bos_id(), ours.eos_id())


def test_a_large_export_has_several_files(
    small_tokenizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "SHARD_BYTES", 100_000)
    model = model_of(MHA)
    export_hugging_face(model, tmp_path / "hf", small_tokenizer)
    index = json.loads((tmp_path / "hf" / "model.safetensors.index.json").read_text())
    files = sorted(path.name for path in (tmp_path / "hf").glob("*.safetensors"))
    assert len(files) > 2
    assert sorted(set(index["weight_map"].values())) == files
    assert index["metadata"]["total_size"] == 4 * MHA.parameters
    # Who may read one file may read all.
    assert len({path.stat().st_mode for path in (tmp_path / "hf").iterdir()}) == 1
    tokens = tokens_of(MHA)
    ours = logits_of(model, tokens)
    assert torch.equal(logits_of(import_weights(tmp_path / "hf"), tokens), ours)
    transformers = pytest.importorskip("transformers", reason="pip install '.[interop]'")
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "hf").eval()
    torch.testing.assert_close(logits_of(theirs, tokens), ours, atol=1e-4, rtol=0)


@pytest.mark.parametrize("layout", [export_meta, export_hugging_face])
def test_bfloat16_is_written_and_read(layout: Any, small_tokenizer: Path, tmp_path: Path) -> None:
    model = model_of(GQA)
    layout(model, tmp_path / "out", small_tokenizer, torch.bfloat16)
    again = import_weights(tmp_path / "out")
    for name, weight in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], weight.bfloat16().float()), name
    largest = max(path.stat().st_size for path in (tmp_path / "out").iterdir())
    assert largest < 2.2 * GQA.parameters
    if layout is export_hugging_face:
        assert json.loads((tmp_path / "out/config.json").read_text())["torch_dtype"] == "bfloat16"


def test_the_context_can_be_chosen(small_tokenizer: Path, tmp_path: Path) -> None:
    export_meta(model_of(MHA), tmp_path / "out", small_tokenizer)
    model = import_weights(tmp_path / "out", 128)
    assert model.settings == replace(MHA, context=128)
    assert logits_of(model, torch.zeros(1, 128, dtype=torch.int64)).shape == (1, 128, VOCABULARY)


def test_what_cannot_be_exported_is_refused(small_tokenizer: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match=r"Llama 3\.1's rotary scaling only"):
        export_meta(model_of(SCALED), tmp_path / "out", small_tokenizer)
    with pytest.raises(TrainerError, match="has 700 pieces, the model 512"):
        export_meta(Llama(replace(MHA, vocabulary_size=512)), tmp_path / "out", small_tokenizer)
    export_meta(model_of(MHA), tmp_path / "out", small_tokenizer)
    with pytest.raises(TrainerError, match="is not an empty folder"):
        export_hugging_face(model_of(MHA), tmp_path / "out", small_tokenizer)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "gpt2"}, "model_type is 'gpt2', not 'llama'"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu', not 'silu'"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings is True"),
        ({"rope_scaling": {"rope_type": "yarn"}}, "rotary scaling 'yarn' is not Llama's"),
        ({"hidden_size": 96}, "no LLaMA that can be read"),
        ({"num_hidden_layers": 3}, "no LLaMA that can be read: KeyError"),
        ({"num_attention_heads": 3}, "dim 64 must be heads 3 times an even number"),
    ],
)
def test_what_is_no_llama_is_refused(
    change: dict[str, Any], message: str, small_tokenizer: Path, tmp_path: Path
) -> None:
    export_hugging_face(model_of(MHA), tmp_path / "out", small_tokenizer)
    path = tmp_path / "out" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(TrainerError, match=message):
        import_weights(tmp_path / "out")


def test_weights_in_another_format_are_asked_for(small_tokenizer: Path, tmp_path: Path) -> None:
    export_hugging_face(model_of(MHA), tmp_path / "hf", small_tokenizer)
    (tmp_path / "hf/model.safetensors").rename(tmp_path / "hf/pytorch_model.bin")
    with pytest.raises(TrainerError, match=r"has no \*\.safetensors"):
        import_weights(tmp_path / "hf")


def test_damaged_files_are_refused(small_tokenizer: Path, tmp_path: Path) -> None:
    export_hugging_face(model_of(MHA), tmp_path / "hf", small_tokenizer)
    export_meta(model_of(MHA), tmp_path / "meta", small_tokenizer)
    for path in (tmp_path / "hf/model.safetensors", tmp_path / "meta/consolidated.00.pth"):
        whole = path.read_bytes()
        for content in (whole[: len(whole) // 2], b"nonsense", b""):
            path.write_bytes(content)
            with pytest.raises(TrainerError, match="no LLaMA that can be read"):
                import_weights(path.parent)
    with pytest.raises(TrainerError, match=r"neither config.json .* nor params.json"):
        import_weights(tmp_path)
