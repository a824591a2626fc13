"""What folding a shift into the values costs once the attention's probabilities are quantized.

P (V - 1 zᵀ) = P V - 1 zᵀ only while every row of P sums to 1. A quantized P̂ has other sums, and then what
the projection W is fed lacks z by the missing share: its output is off by (1 - Σ_k P̂_h[·, k]) W_h z_h, summed
over the heads h. HTG's shifts (arXiv 2503.06930) and their like all lean on the rows' sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.hooks import block_linears, observe
from fpsim.dit.model import DiT
from fpsim.quant.linears import weight_of

F64 = NDArray[np.float64]
Probabilities = Callable[[F64], F64]


def fold_error(probabilities: F64, shift: F64, weight: F64) -> F64:
    """What is added to the projection's output because rows of quantized probabilities do not sum to 1.

    Args:
        probabilities: float64 (..., H, T, T), rows last, as the attention multiplies its values with them.
        shift: float64 (K,), folded into the values; head by head, K a multiple of H.
        weight: float64 (N, K), the projection's, before any factor is folded into it.

    Returns:
        float64 (..., T, N).
    """
    heads = probabilities.shape[-3]
    n, k = weight.shape
    if shift.shape != (k,) or k % heads:
        raise ValueError(f"shift: shape {shift.shape}, expected ({k},), a multiple of {heads} heads")
    missing = 1 - probabilities.sum(axis=-1)  # (..., H, T)
    through = (weight * shift).reshape(n, heads, k // heads).sum(axis=-1)  # W_h z_h: (N, H)
    error: F64 = np.einsum("...ht,nh->...tn", missing, through)
    return error


@dataclass(frozen=True)
class FoldError:
    """Root mean squares over a sampling run, of one layer's output.

    Attributes:
        output: of the exact output less its bias.
        quantized: of the error that quantized probabilities make without any fold, (P̂ - P) V through W.
        folded: of what the fold adds to that error, `fold_error`.
        total: of both together, (P̂ - P) (V - 1 zᵀ) through W: less than `quantized` where z is near the
            values, which then weigh less.
        row_sums: of the rows' sums less 1.
    """

    output: float
    quantized: float
    folded: float
    total: float
    row_sums: float


def measure_fold_error(
    model: DiT,
    shifts: Mapping[str, Mapping[int, F64]],
    quantize: Probabilities,
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
) -> dict[str, FoldError]:
    """Sample the floating-point model and compare both errors of its projections.

    Args:
        model: the model, unfolded.
        shifts: names of `attn.proj` layers to the shift (K,) at each timestep that the sampler visits.
        quantize: probabilities (B, H, T, T) to what stands for them.
        noise: float32 (B, C, S, S), one batch.
        labels: int64 (B,).
        steps: DDIM steps.
    """
    linears, heads = block_linears(model), model.config.heads
    sums: dict[str, list[float]] = {name: [0.0] * 5 for name in shifts}
    current = 0

    def see(name: str, x: Tensor) -> None:
        proj = name.replace("attn.qkv", "attn.proj")
        if name == proj or proj not in shifts:
            return
        weight = weight_of(linears[proj])
        exact, values = attention(linears[name].forward(x), heads)
        coded = quantize(exact)
        quantized = _project((coded - exact) @ values, weight)
        folded = fold_error(coded, shifts[proj][current], weight)
        output = _project(exact @ values, weight)
        for i, part in enumerate((output, quantized, folded, quantized + folded, coded.sum(axis=-1) - 1)):
            sums[proj][i] += float(np.square(part).mean()) / steps

    def eps(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        nonlocal current
        current = int(t[0])
        result: Tensor = model(x, t, y)
        return result

    with observe(model, see), torch.inference_mode():
        ddim_sample(eps, noise, labels, steps=steps, batch=len(noise))
    return {name: FoldError(*(float(np.sqrt(part)) for part in parts)) for name, parts in sums.items()}


def attention(qkv: Tensor, heads: int) -> tuple[F64, F64]:
    """Probabilities (B, H, T, T) and values (B, H, T, K / H), float64, of a qkv output (B, T, 3 K)."""
    batch, tokens, width = qkv.shape
    q, k, v = qkv.double().reshape(batch, tokens, 3, heads, -1).permute(2, 0, 3, 1, 4)
    weights = (q @ k.transpose(-2, -1) * (width // 3 // heads) ** -0.5).softmax(dim=-1)
    return weights.numpy(), v.numpy()


def _project(heads: F64, weight: F64) -> F64:
    """Heads (B, H, T, K / H) side by side, times Wᵀ: (B, T, N)."""
    batch, _, tokens, _ = heads.shape
    projected: F64 = heads.transpose(0, 2, 1, 3).reshape(batch, tokens, -1) @ weight.T
    return projected
