"""How much of the signal survives, by layer and by step, on the floating-point model's own inputs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import ddim_sample
from fpsim.dit.hooks import block_linears, observe
from fpsim.dit.model import DiT
from fpsim.quant.execute import LinearLike, machine_linears, on_machine
from fpsim.quant.recipe import QuantizedModel


def _decibel(signal: float, noise: float) -> float:
    return math.inf if noise == 0 else 10 * math.log10(signal / noise) if signal else -math.inf


def layer_sqnr(
    quantized: QuantizedModel,
    config: ArrayConfig,
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """Signal to quantization noise of every layer's output in dB, each on the float model's own input.

    The float model samples; at each call of each linear the machine computes the same layer on the same
    input. Energies are summed over images, tokens, channels and timesteps.
    """
    signal: dict[str, float] = defaultdict(float)
    error: dict[str, float] = defaultdict(float)

    def compare(executed: dict[str, LinearLike], exact: dict[str, nn.Linear], name: str, x: Tensor) -> None:
        if name in executed:
            expected = exact[name].forward(x)
            got = executed[name](x)
            signal[name] += float(expected.double().square().sum())
            error[name] += float((got.double() - expected.double()).square().sum())

    def eps(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        result: Tensor = quantized.phase_at(int(t[0])).model(x, t, y)
        return result

    with ExitStack() as stack, torch.inference_mode():
        for phase in quantized.phases:
            functions = machine_linears(phase, config)
            stack.enter_context(observe(phase.model, partial(compare, functions, block_linears(phase.model))))
        ddim_sample(eps, noise, labels, steps=steps, progress=progress)
    return {name: _decibel(signal[name], error[name]) for name in signal}


def epsilon_sqnr(
    model: DiT,
    quantized: QuantizedModel,
    config: ArrayConfig,
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
) -> dict[int, float]:
    """SQNR in dB of the predicted noise at each timestep, teacher-forced: both see the float trajectory.

    Returns:
        Timestep to dB, in sampling order.
    """
    executed = on_machine(quantized, config)
    result: dict[int, float] = {}

    def both(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        exact: Tensor = model(x, t, y)
        off = executed(x, t, y).double() - exact.double()
        result[int(t[0])] = _decibel(float(exact.double().square().sum()), float(off.square().sum()))
        return exact

    with torch.inference_mode():
        ddim_sample(both, noise, labels, steps=steps, batch=len(noise))
    return result
