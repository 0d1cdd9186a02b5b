"""Weights in the layouts of others: Hugging Face's LlamaForCausalLM, and Meta's release.

Ours are Hugging Face's with queries, keys and values in one matrix, and gate and up projection in
one. Meta turns neighbouring pairs of a head where Hugging Face turns halves: rows of its query and
key matrices stand in another order (`_interleaved`). Getting that wrong gives fluent nonsense.
"""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tokenizer.export import write_exports
from tokenizer.folder import MODEL_FILE, read_model_file, tokenizer_identity
from tokenizer.model_proto import read_model
from trainer.errors import TrainerError
from trainer.model import Llama, ModelSettings, RopeScaling, rope_table
from trainer.presets import LLAMA31_ROPE_SCALING

Weights = dict[str, Tensor]


class Layout(NamedTuple):
    """What others call our weights.

    Attributes:
        outer: theirs by ours, outside of the layers.
        layers: what their names of a layer begin with, before its number.
        block: within a layer, the parts that theirs has of each of our matrices.
        turned: of these, whose rows stand in pairs.
    """

    outer: Mapping[str, str]
    layers: str
    block: Mapping[str, tuple[str, ...]]
    turned: tuple[str, ...] = ()

    def names(self, layers: int) -> Iterator[tuple[str, list[str]]]:
        """Each of our weights, and the parts that theirs has of it."""
        for ours, theirs in self.outer.items():
            yield f"{ours}.weight", [f"{theirs}.weight"]
        for layer in range(layers):
            for ours, parts in self.block.items():
                names = [f"{self.layers}{layer}.{part}.weight" for part in parts]
                yield f"blocks.{layer}.{ours}.weight", names

    def is_turned(self, name: str) -> bool:
        """Whether the rows of one of their weights stand in pairs."""
        return name.endswith(tuple(f".{part}.weight" for part in self.turned))


HUGGING_FACE = Layout(
    outer={"embedding": "model.embed_tokens", "norm": "model.norm", "head": "lm_head"},
    layers="model.layers.",
    block={
        "attention_norm": ("input_layernorm",),
        "attention.query_key_value": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "attention.output": ("self_attn.o_proj",),
        "feed_forward_norm": ("post_attention_layernorm",),
        "feed_forward.gate_up": ("mlp.gate_proj", "mlp.up_proj"),
        "feed_forward.down": ("mlp.down_proj",),
    },
)
META = Layout(
    outer={"embedding": "tok_embeddings", "norm": "norm", "head": "output"},
    layers="layers.",
    block={
        "attention_norm": ("attention_norm",),
        "attention.query_key_value": ("attention.wq", "attention.wk", "attention.wv"),
        "attention.output": ("attention.wo",),
        "feed_forward_norm": ("ffn_norm",),
        "feed_forward.gate_up": ("feed_forward.w1", "feed_forward.w3"),
        "feed_forward.down": ("feed_forward.w2",),
    },
    turned=("attention.wq", "attention.wk"),
)
# Hugging Face splits files at this size.
SHARD_BYTES = 5_000_000_000
# Keys of `config.json`: what LLaMA has, and what it means where they are missing.
_LLAMA_HAS = {
    "model_type": ("llama", None),
    "hidden_act": ("silu", "silu"),
    "attention_bias": (False, False),
    "mlp_bias": (False, False),
    "tie_word_embeddings": (False, False),
}
# What a damaged file raises.
_UNREADABLE = (OSError, EOFError, pickle.UnpicklingError, SafetensorError)


def _interleaved(weight: Tensor, head_dim: int) -> Tensor:
    """Rows of each head from halves (0..n/2, n/2..n) to pairs (0, n/2, 1, n/2 + 1, ...)."""
    heads = weight.view(-1, 2, head_dim // 2, weight.shape[1])
    return heads.transpose(1, 2).reshape_as(weight)


def _halved(weight: Tensor, head_dim: int) -> Tensor:
    """The inverse of `_interleaved`."""
    heads = weight.view(-1, head_dim // 2, 2, weight.shape[1])
    return heads.transpose(1, 2).reshape_as(weight)


def to_theirs(weights: Mapping[str, Tensor], settings: ModelSettings, layout: Layout) -> Weights:
    """Our weights in a layout of others."""
    keys = settings.kv_heads * settings.head_dim
    found = {}
    for ours, names in layout.names(settings.layers):
        weight = weights[ours]
        rows = {1: [len(weight)], 2: [settings.hidden] * 2, 3: [settings.dim, keys, keys]}
        for name, part in zip(names, weight.split(rows[len(names)]), strict=True):
            found[name] = _interleaved(part, settings.head_dim) if layout.is_turned(name) else part
    return found


def to_ours(weights: Mapping[str, Tensor], settings: ModelSettings, layout: Layout) -> Weights:
    """The inverse of `to_theirs`."""
    found = {}
    for ours, names in layout.names(settings.layers):
        parts = [
            _halved(weights[name], settings.head_dim) if layout.is_turned(name) else weights[name]
            for name in names
        ]
        found[ours] = torch.cat(parts)
    return found


def hugging_face_config(settings: ModelSettings, dtype: torch.dtype) -> dict[str, Any]:
    """`config.json` of a model of this shape, without what is the tokenizer's."""
    scaling = settings.rope_scaling
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": settings.dim,
        "intermediate_size": settings.hidden,
        "num_hidden_layers": settings.layers,
        "num_attention_heads": settings.heads,
        "num_key_value_heads": settings.kv_heads,
        "vocab_size": settings.vocabulary_size,
        "max_position_embeddings": settings.context,
        "rms_norm_eps": settings.norm_eps,
        "rope_theta": settings.rope_theta,
        "rope_scaling": scaling
        and {
            "rope_type": "llama3",
            "factor": scaling.factor,
            "low_freq_factor": scaling.low_frequency_factor,
            "high_freq_factor": scaling.high_frequency_factor,
            "original_max_position_embeddings": scaling.original_context,
        },
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": False,
        "torch_dtype": str(dtype).removeprefix("torch."),
    }


def export_hugging_face(
    model: Llama, folder: Path, tokenizer: Path, dtype: torch.dtype = torch.float32
) -> None:
    """Write a folder that `AutoModelForCausalLM` and `AutoTokenizer` load.

    Raises:
        TrainerError: the folder holds something, or the tokenizer is another model's.
    """
    ids = _write_tokenizer(tokenizer, folder, model.settings)
    write_exports(read_model(read_model_file(str(tokenizer))), folder)
    weights = {
        name: weight.to(dtype)
        for name, weight in to_theirs(model.state_dict(), model.settings, HUGGING_FACE).items()
    }
    shards: list[Weights] = [{}]
    for name, weight in weights.items():
        held = sum(one.nbytes for one in shards[-1].values())
        if held and held + weight.nbytes > SHARD_BYTES:
            shards.append({})
        shards[-1][name] = weight
    names = ["model.safetensors"]
    if len(shards) > 1:
        names = [
            f"model-{number:05}-of-{len(shards):05}.safetensors"
            for number in range(1, len(shards) + 1)
        ]
        places = {name: file for file, shard in zip(names, shards, strict=True) for name in shard}
        index = {
            "metadata": {"total_size": sum(weight.nbytes for weight in weights.values())},
            "weight_map": places,
        }
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    for file, shard in zip(names, shards, strict=True):
        save_file(shard, folder / file, metadata={"format": "pt"})
        # safetensors makes files that nobody but their owner can read.
        shutil.copymode(folder / MODEL_FILE, folder / file)
    config = hugging_face_config(model.settings, dtype) | ids
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def meta_params(settings: ModelSettings) -> dict[str, Any]:
    """`params.json` of a model of this shape: arguments of Meta's `ModelArgs`, and no others.

    Not the context: who loads the model says it. What only later releases know is named where the
    shape needs it.
    """
    params = {
        "dim": settings.dim,
        "n_layers": settings.layers,
        "n_heads": settings.heads,
        "vocab_size": settings.vocabulary_size,
        "multiple_of": settings.hidden,
        "norm_eps": settings.norm_eps,
    }
    # The width of the feed-forward layers is derived: 8/3 dim, stretched, rounded up to a multiple.
    usual = 8 * settings.dim // 3
    if usual > settings.hidden:
        params["ffn_dim_multiplier"] = settings.hidden / usual
    if settings.kv_heads < settings.heads:
        params["n_kv_heads"] = settings.kv_heads
    if settings.rope_theta != 10_000.0:
        params["rope_theta"] = settings.rope_theta
    if settings.rope_scaling is not None:
        params["use_scaled_rope"] = True
    return params


def export_meta(
    model: Llama, folder: Path, tokenizer: Path, dtype: torch.dtype = torch.float32
) -> None:
    """Write `consolidated.00.pth`, `params.json` and the tokenizer as Meta laid them out.

    Raises:
        TrainerError: the folder holds something, the tokenizer is another model's, or rotary
            positions are stretched otherwise than Llama 3.1's, which `params.json` cannot say.
    """
    settings = model.settings
    if settings.rope_scaling not in (None, LLAMA31_ROPE_SCALING):
        raise TrainerError("Meta's layout knows Llama 3.1's rotary scaling only; use --format hf")
    _write_tokenizer(tokenizer, folder, settings)
    weights = to_theirs(model.state_dict(), settings, META)
    torch.save(
        {name: weight.to(dtype) for name, weight in weights.items()}, folder / "consolidated.00.pth"
    )
    (folder / "params.json").write_text(json.dumps(meta_params(settings), indent=2))


def _write_tokenizer(tokenizer: Path, folder: Path, settings: ModelSettings) -> dict[str, int]:
    """Begin an export with the tokenizer's model; returns the ids that `config.json` names."""
    identity = tokenizer_identity(str(tokenizer))
    if identity.vocabulary_size != settings.vocabulary_size:
        raise TrainerError(
            f"{tokenizer} has {identity.vocabulary_size:,} pieces, the model "
            f"{settings.vocabulary_size:,}; name the tokenizer it was trained with"
        )
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise TrainerError(f"{folder} is not an empty folder; choose another --output")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL_FILE).write_bytes(read_model_file(str(tokenizer)))
    return {"bos_token_id": identity.bos_id, "eos_token_id": identity.eos_id}


def import_weights(folder: Path, context: int | None = None) -> Llama:
    """A model from a folder of Hugging Face's or Meta's layout.

    Args:
        folder: with `config.json` and safetensors, or `params.json` and `consolidated.00.pth`.
        context: of the model; None: what the folder says, LLaMA 1's 2048 where it says none (Meta).

    Raises:
        TrainerError: it is neither, cannot be read, or is another architecture than LLaMA's.
    """
    read: Callable[[Path], tuple[ModelSettings, Weights]]
    if (folder / "config.json").is_file():
        read = _read_hugging_face
    elif (folder / "params.json").is_file():
        read = _read_meta
    else:
        raise TrainerError(
            f"{folder} has neither config.json (Hugging Face) nor params.json (Meta)"
        )
    try:
        settings, weights = read(folder)
        if context:
            settings = replace(settings, context=context)
        with torch.device("meta"):
            model = Llama(settings)
        float32 = {name: weight.float() for name, weight in weights.items()}
        model.load_state_dict(float32, assign=True)
    except (*_UNREADABLE, KeyError, ValueError, RuntimeError) as error:
        raise TrainerError(f"{folder} is no LLaMA that can be read: {error!r}") from None
    model.rope = rope_table(settings, settings.context)
    return model


def _read_hugging_face(folder: Path) -> tuple[ModelSettings, Weights]:
    config = json.loads((folder / "config.json").read_text())
    for key, (wanted, default) in _LLAMA_HAS.items():
        has = config.get(key, default)
        if has != wanted:
            raise TrainerError(f"{folder} is no LLaMA: {key} is {has!r}, not {wanted!r}")
    rope = config.get("rope_parameters") or config
    scaling = config.get("rope_scaling") or config.get("rope_parameters") or {}
    settings = ModelSettings(
        dim=config["hidden_size"],
        layers=config["num_hidden_layers"],
        heads=config["num_attention_heads"],
        kv_heads=config.get("num_key_value_heads") or config["num_attention_heads"],
        hidden=config["intermediate_size"],
        vocabulary_size=config["vocab_size"],
        context=config["max_position_embeddings"],
        norm_eps=config["rms_norm_eps"],
        rope_theta=float(rope.get("rope_theta", 10_000.0)),
        rope_scaling=_rope_scaling(scaling),
    )
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise TrainerError(f"{folder} has no *.safetensors, the only weights that are read")
    weights: Weights = {}
    for file in files:
        weights |= load_file(file)
    return settings, to_ours(weights, settings, HUGGING_FACE)


def _rope_scaling(scaling: Mapping[str, Any]) -> RopeScaling | None:
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return None
    if kind != "llama3":
        raise TrainerError(f"rotary scaling {kind!r} is not Llama's")
    return RopeScaling(
        scaling["factor"],
        scaling["low_freq_factor"],
        scaling["high_freq_factor"],
        scaling["original_max_position_embeddings"],
    )


def _read_meta(folder: Path) -> tuple[ModelSettings, Weights]:
    params = json.loads((folder / "params.json").read_text())
    files = sorted(folder.glob("consolidated.*.pth"))
    if len(files) != 1:
        raise TrainerError(
            f"{folder} has {len(files)} consolidated.*.pth; only models in one file can be read"
        )
    weights: Weights = torch.load(files[0], map_location="cpu", weights_only=True)
    settings = ModelSettings(
        dim=params["dim"],
        layers=params["n_layers"],
        heads=params["n_heads"],
        kv_heads=params.get("n_kv_heads") or params["n_heads"],
        hidden=len(weights["layers.0.feed_forward.w1.weight"]),
        vocabulary_size=len(weights["tok_embeddings.weight"]),
        context=2048,
        norm_eps=params["norm_eps"],
        rope_theta=params.get("rope_theta", 10_000.0),
        rope_scaling=LLAMA31_ROPE_SCALING if params.get("use_scaled_rope") else None,
    )
    return settings, to_ours(weights, settings, META)


def settings_from(data: Mapping[str, Any]) -> ModelSettings:
    """A shape from plain data, as `dataclasses.asdict` gives it."""
    scaling = data["rope_scaling"]
    return ModelSettings(**{**data, "rope_scaling": scaling and RopeScaling(**scaling)})
