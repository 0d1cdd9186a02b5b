"""The model: initial loss, learning, packing, recomputed and compiled layers, bf16."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask

from trainer.config import TrainingConfig
from trainer.loss import IGNORED, targets_of
from trainer.model import (
    Llama,
    ModelSettings,
    RMSNorm,
    RopeScaling,
    document_mask,
    rope_table,
    rotate,
)
from trainer.parallel import Ranks, spread

SETTINGS = ModelSettings(64, 2, 4, 2, 128, 300, 32)
BOS = 1
ONE = Ranks(0, 1, torch.device("cpu"))


def make_model(settings: ModelSettings = SETTINGS, *, scale: float = 1.0) -> Llama:
    """A model; `scale` above 1 makes attention look at single tokens."""
    model = Llama(settings)
    model.initialize(3)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(scale)
    return model


def make_tokens(rows: int = 2, seed: int = 0) -> Tensor:
    tokens = torch.randint(3, 300, (rows, 33), generator=torch.Generator().manual_seed(seed))
    tokens[:, 0] = tokens[:, 13] = tokens[1:, 20] = BOS
    return tokens


def mean_loss(model: torch.nn.Module, tokens: Tensor) -> Tensor:
    targets = targets_of(tokens, BOS)
    mask = document_mask(tokens[:, :-1], BOS, flex=False)
    nats: Tensor = model(tokens[:, :-1], mask, targets)
    return nats / (targets != IGNORED).sum()


def test_loss_at_the_start_is_that_of_logits_without_knowledge() -> None:
    settings = replace(SETTINGS, dim=320, vocabulary_size=8000)
    model = make_model(settings)
    tokens = torch.randint(3, 8000, (16, 33), generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        logits = model(tokens[:, :-1])
    expected = math.log(8000) + float(logits.std()) ** 2 / 2
    assert mean_loss(model, tokens).item() == pytest.approx(expected, abs=0.05)
    # Control: the same statement about weights drawn too wide is not within the tolerance of ln V.
    wide = make_model(settings, scale=4.0)
    assert abs(mean_loss(wide, tokens).item() - math.log(8000)) > 0.2


def test_overfits_one_batch() -> None:
    model = make_model()
    # One document: what comes first in a second cannot be known from BOS alone.
    tokens = make_tokens(1)
    tokens[:, 13] = 7
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = []
    for _ in range(80):
        loss = mean_loss(model, tokens)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[0] > 5
    assert losses[-1] < 0.05


def packed_logits(model: Llama, tokens: Tensor, flex: bool) -> Tensor:
    mask = document_mask(tokens, BOS, flex=flex)
    assert isinstance(mask, BlockMask) == flex
    with torch.no_grad():  # FlexAttention has no backward pass on CPUs
        return model(tokens, mask)


@pytest.mark.parametrize("flex", [False, True])
@pytest.mark.parametrize("kv_heads", [4, 2])
def test_a_document_sees_nothing_of_the_one_before(flex: bool, kv_heads: int) -> None:
    model = make_model(replace(SETTINGS, kv_heads=kv_heads), scale=8.0)
    tokens = make_tokens(1)[:, :-1]
    changed = tokens.clone()
    changed[:, 1:13] = 300 - changed[:, 1:13]
    had, has = packed_logits(model, tokens, flex), packed_logits(model, changed, flex)
    assert torch.equal(had[:, 13:], has[:, 13:])
    assert not torch.equal(had[:, 1:13], has[:, 1:13])
    # What comes later is not seen either.
    changed = tokens.clone()
    changed[:, 31] = 7
    assert torch.equal(had[:, :31], packed_logits(model, changed, flex)[:, :31])


def test_without_the_mask_documents_leak_into_each_other() -> None:
    model = make_model(scale=8.0)
    tokens = make_tokens(1)[:, :-1]
    changed = tokens.clone()
    changed[:, 1:13] = 300 - changed[:, 1:13]
    with torch.no_grad():
        assert not torch.allclose(model(tokens)[:, 13:], model(changed)[:, 13:], atol=1e-2)


def test_positions_that_start_again_are_no_mask() -> None:
    """As trainers did that only reset position ids at a document's start."""
    model = make_model(scale=8.0)
    tokens = make_tokens(1)[:, :-1]
    positions = torch.cat([torch.arange(13), torch.arange(19)])
    model.rope = model.rope[:, positions]
    changed = tokens.clone()
    changed[:, 1:13] = 300 - changed[:, 1:13]
    with torch.no_grad():
        assert not torch.allclose(model(tokens)[:, 13:], model(changed)[:, 13:], atol=1e-2)


def test_a_packed_document_has_the_logits_it_has_alone() -> None:
    model = make_model(scale=4.0)
    tokens = make_tokens(1)[:, :-1]
    with torch.no_grad():
        alone = model(tokens[:, 13:])
    torch.testing.assert_close(
        packed_logits(model, tokens, False)[:, 13:], alone, atol=1e-4, rtol=0
    )


@given(st.lists(st.lists(st.booleans(), min_size=32, max_size=32), min_size=1, max_size=3))
def test_documents_end_where_the_next_or_the_window_does(begins: list[list[bool]]) -> None:
    tokens = torch.where(torch.tensor(begins), BOS, 7)
    mask = document_mask(tokens, BOS, flex=False)
    lengths = (32,) * len(begins) if mask is None else mask.lengths
    starts = [0, *accumulate(lengths)]
    expected = {32 * row for row in range(len(begins) + 1)}
    expected |= {32 * row + at for row, at in tokens.eq(BOS).nonzero().tolist()}
    assert starts == sorted(expected)


def test_both_attentions_agree() -> None:
    model = make_model(scale=4.0)
    tokens = make_tokens()[:, :-1]
    torch.testing.assert_close(
        packed_logits(model, tokens, True), packed_logits(model, tokens, False), atol=1e-4, rtol=0
    )


def test_rotary_products_depend_on_the_distance_only() -> None:
    table = rope_table(SETTINGS, 32)
    query, key = torch.randn(2, 16)
    turned_query, turned_key = (rotate(x.expand(32, 1, 16), table)[:, 0] for x in (query, key))
    products = turned_query @ turned_key.T
    for distance in (0, 3, 20):
        along = products.diagonal(-distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-4, rtol=0)
    assert not torch.allclose(products.diagonal(0)[:5], products.diagonal(-3)[:5], atol=1e-2)


def test_scaled_rotation_keeps_short_wavelengths_and_stretches_long_ones() -> None:
    settings = replace(SETTINGS, dim=512, heads=4, context=2048)
    scaled = replace(settings, rope_scaling=RopeScaling(8.0, 1.0, 4.0, 256))
    plain, stretched = rope_table(settings, 2048), rope_table(scaled, 2048)
    assert torch.equal(plain[:, :, 0], stretched[:, :, 0])
    # The slowest of 64 pairs goes eight times as slowly.
    torch.testing.assert_close(
        stretched[:, ::8, 63][:, :200], plain[:, :200, 63], atol=1e-5, rtol=0
    )


def test_the_norm_is_taken_in_fp32() -> None:
    norm = RMSNorm(256, 1e-5)
    x = (torch.randn(4, 256) * 300).bfloat16()
    exact = x.double() / (x.double().square().mean(-1, keepdim=True) + 1e-5).sqrt()
    assert torch.equal(norm(x).bfloat16(), exact.bfloat16())
    squared_in_bf16 = x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt()
    assert not torch.equal(squared_in_bf16, exact.bfloat16())


def gradients(
    model: torch.nn.Module, precision: str = "fp32", tokens: Tensor | None = None
) -> dict[str, Tensor]:
    tokens = make_tokens() if tokens is None else tokens
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        loss = mean_loss(model, tokens)
    loss.backward()
    return {
        name.replace("_checkpoint_wrapped_module.", ""): parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


class CountProducts(torch.utils._python_dispatch.TorchDispatchMode):
    """Counts matrix products and attentions."""

    def __init__(self) -> None:
        super().__init__()
        self.products = self.attentions = self.silus = 0

    def __torch_dispatch__(self, func: Callable, types: object, args=(), kwargs=None) -> object:
        self.products += func is torch.ops.aten.mm.default
        self.attentions += "_scaled_dot_product" in str(func) and "backward" not in str(func)
        self.silus += func is torch.ops.aten.silu.default
        return func(*args, **(kwargs or {}))


def test_recomputed_layers_have_the_same_gradients() -> None:
    found, counts = {}, {}
    for how in ("none", "selective", "full"):
        model = spread(make_model(), TrainingConfig(checkpointing=how), ONE)
        with CountProducts() as counter:
            found[how] = gradients(model)
        counts[how] = counter
    assert len(found["none"]) == len(list(make_model().parameters()))
    for how in ("selective", "full"):
        for name, expected in found["none"].items():
            assert torch.equal(found[how][name], expected), (how, name)
    # Per layer four products, and an attention of each document; selective does none twice.
    assert counts["selective"].products == counts["none"].products
    assert counts["selective"].attentions == counts["none"].attentions == 2 * 5  # documents
    assert counts["selective"].silus == counts["none"].silus + 2
    assert counts["full"].products == counts["none"].products + 8 - 2  # not the last of a layer
    assert counts["full"].attentions == 2 * 2 * 5


def test_bf16_is_near_fp32_and_not_the_same() -> None:
    exact, narrow = gradients(make_model()), gradients(make_model(), "bf16")
    for name, expected in exact.items():
        assert narrow[name].dtype == torch.float32, name
        relative = (narrow[name] - expected).norm() / expected.norm()
        assert 1e-5 < relative < 0.03, name


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile on CPUs needs g++")
def test_compiled_layers_have_the_same_gradients() -> None:
    settings = replace(SETTINGS, layers=1)
    eager = gradients(make_model(settings))
    compiled = gradients(spread(make_model(settings), TrainingConfig(compile=True), ONE))
    assert compiled.keys() == eager.keys()
    for name, expected in eager.items():
        torch.testing.assert_close(compiled[name], expected, atol=1e-4, rtol=1e-3)


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile on CPUs needs g++")
def test_other_documents_are_not_compiled_anew() -> None:
    model = spread(make_model(replace(SETTINGS, layers=1)), TrainingConfig(compile=True), ONE)
    gradients(model)
    tokens = make_tokens(seed=1)
    tokens[:, 25] = BOS
    with torch._dynamo.config.patch(error_on_recompile=True):
        gradients(model, tokens=tokens)
        # Control: another number of windows is.
        with pytest.raises(torch._dynamo.exc.RecompileError):
            gradients(model, tokens=make_tokens(3))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_a_norm_is_that_of_its_paper(dtype: torch.dtype, tolerance: float) -> None:
    norm = RMSNorm(48, 1e-2).to(dtype)
    torch.nn.init.normal_(norm.weight, generator=torch.Generator().manual_seed(0))
    x = torch.randn(3, 5, 48, generator=torch.Generator().manual_seed(1)).to(dtype)
    wide = x.double()
    expected = wide / (wide.square().mean(-1, keepdim=True) + 1e-2).sqrt() * norm.weight.double()
    assert norm(x).dtype == dtype
    torch.testing.assert_close(norm(x).double(), expected, atol=tolerance, rtol=tolerance)
