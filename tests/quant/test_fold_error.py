"""The error term of a folded shift against attention computed with and without the fold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from fpsim.dit.hooks import block_linears, observe
from fpsim.dit.model import DiT, DiTConfig
from fpsim.quant.fold_error import attention, fold_error, measure_fold_error

F64 = NDArray[np.float64]


def to_grid(levels: int):  # type: ignore[no-untyped-def]
    return lambda p: np.rint(p * levels) / levels


def joined(heads: F64) -> F64:
    return heads.transpose(0, 2, 1, 3).reshape(heads.shape[0], heads.shape[2], -1)


@pytest.mark.parametrize("levels", [3, 15, 255])
def test_the_term_is_what_the_fold_changes(levels: int) -> None:
    """P̂ (V - 1 zᵀ) through W, and W z back in the bias, less P̂ V through W."""
    rng = np.random.default_rng(levels)
    logits = rng.normal(0, 2, (2, 3, 5, 5))
    exact = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    coded = to_grid(levels)(exact)
    values, shift, weight = rng.normal(0, 1, (2, 3, 5, 4)), rng.normal(0, 3, 12), rng.normal(0, 1, (7, 12))
    moved = values - shift.reshape(3, 1, 4)
    changed = joined(coded @ moved) @ weight.T + weight @ shift - joined(coded @ values) @ weight.T
    assert fold_error(coded, shift, weight) == pytest.approx(changed, abs=1e-12)
    assert np.abs(changed).max() > 1e-3
    assert fold_error(exact, shift, weight) == pytest.approx(0, abs=1e-12)


def test_a_shift_of_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shift: shape \(11,\), expected \(12,\), a multiple of 3 heads"):
        fold_error(np.ones((3, 5, 5)), np.ones(11), np.ones((7, 12)))


def test_a_shift_near_the_values_makes_up_for_sums_that_are_off() -> None:
    """Values around 3, moved by 3: what remains of them is small, whatever the rows sum to."""
    torch.manual_seed(2)
    dit = DiT(DiTConfig(hidden=32, depth=1, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
        dit.get_parameter("blocks.0.attn.qkv.bias")[64:] = 3
    shifts = {"blocks.0.attn.proj": {step: np.full(32, 3.0) for step in (999, 0)}}
    noise, labels = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(2)
    found = measure_fold_error(dit.eval().requires_grad_(False), shifts, to_grid(15), noise, labels, steps=2)
    error = found["blocks.0.attn.proj"]
    assert error.total < 0.5 * error.quantized
    assert error.folded > 0.5 * error.quantized


@pytest.fixture(scope="module")
def model() -> DiT:
    torch.manual_seed(1)
    dit = DiT(DiTConfig(hidden=32, depth=2, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return dit.eval().requires_grad_(False)


def test_attention_is_the_models(model: DiT) -> None:
    seen: dict[str, torch.Tensor] = {}
    with observe(model, lambda name, x: seen.__setitem__(name, x.clone())), torch.inference_mode():
        model(torch.ones(2, 1, 8, 8), torch.tensor([5, 5]), torch.arange(2))
        qkv = block_linears(model)["blocks.1.attn.qkv"](seen["blocks.1.attn.qkv"])
    weights, values = attention(qkv, 2)
    assert weights.sum(axis=-1) == pytest.approx(1, abs=1e-12)
    assert joined(weights @ values) == pytest.approx(seen["blocks.1.attn.proj"].numpy(), abs=1e-5)


def test_a_run_is_measured_layer_by_layer(model: DiT) -> None:
    """Without a shift the fold adds nothing; a coarser grid is worse; exact probabilities lose nothing."""
    noise, labels = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1)), torch.arange(2)
    some, none = ({step: np.full(32, z) for step in (999, 0)} for z in (2.0, 0.0))
    shifts = {"blocks.0.attn.proj": some, "blocks.1.attn.proj": none}

    def measure(quantize):  # type: ignore[no-untyped-def]
        return measure_fold_error(model, shifts, quantize, noise, labels, steps=2)

    coarse, fine, exact = measure(to_grid(15)), measure(to_grid(255)), measure(lambda p: p)
    assert list(coarse) == list(shifts)
    assert coarse["blocks.1.attn.proj"].folded == 0 < coarse["blocks.1.attn.proj"].quantized
    for name in shifts:
        assert exact[name].quantized == 0
        assert exact[name].row_sums < 1e-12
        assert coarse[name].row_sums > 4 * fine[name].row_sums > 0
        assert coarse[name].output == fine[name].output > 0
        assert coarse[name].total <= coarse[name].quantized + coarse[name].folded
    assert coarse["blocks.1.attn.proj"].total == coarse["blocks.1.attn.proj"].quantized
    first = "blocks.0.attn.proj"
    assert coarse[first].folded > 4 * fine[first].folded > 0
