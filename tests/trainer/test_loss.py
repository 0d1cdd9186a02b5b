"""The head's cross-entropy in parts, against torch's of all logits."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from trainer import loss
from trainer.loss import IGNORED, nats_each, nats_sum, targets_of

BOS = 1


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 17, 24, generator=generator).requires_grad_()
    weight = torch.randn(50, 24, generator=generator).requires_grad_()
    tokens = torch.randint(2, 50, (3, 18), generator=generator)
    tokens[0, 0] = tokens[1, 5] = tokens[2, 17] = BOS
    return x, weight, targets_of(tokens, BOS)


def of_all_logits(x: Tensor, weight: Tensor, targets: Tensor, reduction: str) -> Tensor:
    logits = F.linear(x, weight).float().flatten(0, 1)
    return F.cross_entropy(logits, targets.flatten(), ignore_index=IGNORED, reduction=reduction)


def test_beginnings_of_documents_are_no_targets() -> None:
    targets = inputs()[2]
    # The first BOS is the first token, which no token comes before.
    assert (targets == IGNORED).nonzero().tolist() == [[1, 4], [2, 16]]
    assert (targets != BOS).all()


@pytest.mark.parametrize("rows", [1, 7, 17 * 3, 10**9])
def test_parts_have_the_loss_and_the_gradients_of_the_whole(rows: int) -> None:
    x, weight, targets = inputs()
    expected = of_all_logits(x, weight, targets, "sum")
    gradients = torch.autograd.grad(expected * 0.3, (x, weight))
    found = nats_sum(x, weight, targets, rows)
    torch.testing.assert_close(found, expected)
    for has, wanted in zip(torch.autograd.grad(found * 0.3, (x, weight)), gradients, strict=True):
        torch.testing.assert_close(has, wanted, atol=1e-5, rtol=1e-5)
    # Control: if beginnings counted, the gradients would be others.
    wrong = torch.autograd.grad(nats_sum(x, weight, targets.clamp_min(0), rows), (x, weight))
    assert not torch.allclose(wrong[0] * 0.3, gradients[0], atol=1e-2)


def test_nats_of_each_target(monkeypatch: pytest.MonkeyPatch) -> None:
    x, weight, targets = inputs()
    monkeypatch.setitem(loss.ROWS, "cpu", 4)
    found = nats_each(x, weight, targets)
    torch.testing.assert_close(found.flatten(), of_all_logits(x, weight, targets, "none"))
    assert not found.requires_grad
    assert float(found[1, 4]) == 0


def test_in_bf16_the_weights_gradient_is_summed_in_fp32() -> None:
    x, weight, targets = inputs()
    exact = torch.autograd.grad(of_all_logits(x, weight, targets, "sum"), (x, weight))
    with torch.autocast("cpu", torch.bfloat16):
        found = nats_sum(x, weight, targets, 1)
        each = nats_each(x, weight, targets)
    narrow = torch.autograd.grad(found, (x, weight))
    torch.testing.assert_close(each.sum(), found, atol=1e-4, rtol=1e-6)
    assert abs(float(found) - float(of_all_logits(x, weight, targets, "sum"))) > 1e-3
    assert found.dtype == narrow[0].dtype == narrow[1].dtype == torch.float32
    for has, wanted in zip(narrow, exact, strict=True):
        assert 1e-5 < (has - wanted).norm() / wanted.norm() < 0.01


def test_a_second_backward_pass_is_refused() -> None:
    """The gradients are scaled in place."""
    x, weight, targets = inputs()
    nats = nats_sum(x, weight, targets)
    nats.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        nats.backward()
