"""The rows that an executed model really feeds its layers."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import ddim_sample
from fpsim.quant.execute import observe_executed, on_machine
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import fp16_bits

Place = tuple[str, int]


def capture_rows(
    quantized: QuantizedModel,
    config: ArrayConfig,
    places: Collection[Place],
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
) -> dict[Place, NDArray[np.uint16]]:
    """Sample on the machine and keep what reaches chosen layers at chosen timesteps.

    Args:
        quantized: the model.
        config: the machine.
        places: pairs of a block linear's name and a timestep that the sampler visits.
        noise: float32 (B, C, S, S).
        labels: int64 (B,).
        steps: DDIM steps.

    Returns:
        Place to uint16 (R, K), FP16 bits of the first R = min(config.rows, B · tokens) rows.

    Raises:
        ValueError: a place that the run never reached.
    """
    executed = on_machine(quantized, config)
    rows: dict[Place, NDArray[np.uint16]] = {}
    current = 0

    def see(name: str, x: Tensor) -> None:
        if (name, current) in places:
            flat = x.reshape(-1, x.shape[-1])[: config.rows].numpy()
            rows[name, current] = fp16_bits(flat, f"{name}: input").copy()

    def eps(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        nonlocal current
        current = int(t[0])
        result: Tensor = executed(x, t, y)
        return result

    with observe_executed(executed, see), torch.inference_mode():
        ddim_sample(eps, noise, labels, steps=steps, batch=len(noise))
    missing = [place for place in places if place not in rows]
    if missing:
        raise ValueError(f"places: {missing[0]}: expected a block linear and a visited timestep")
    return rows
