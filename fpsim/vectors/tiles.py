"""Which real layer tiles become golden vectors, and the rows that the model feeds them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import ddim_sample, ddim_timesteps
from fpsim.dit.hooks import observe
from fpsim.quant.execute import on_machine
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import fp16_bits


@dataclass(frozen=True)
class TileSpec:
    """One tile of a real layer.

    Attributes:
        model: "digits" or "digits-stress".
        recipe: the recipe's name.
        layer: name of the block linear.
        timestep: diffusion timestep at which the rows were taken.
        first_col: first output channel of the tile.
    """

    model: str
    recipe: str
    layer: str
    timestep: int
    first_col: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for manifests."""
        return asdict(self)


def demo_specs(steps: int = 20) -> list[TileSpec]:
    """The committed tiles: every kind of layer, early, middle and late; and two with static scales."""
    visited = ddim_timesteps(steps)
    early, middle, late = visited[0], visited[len(visited) // 2], visited[-1]
    rotated = [
        TileSpec("digits", "rotated-w4a4", layer, timestep, first_col)
        for layer, first_col in (
            ("blocks.0.attn.qkv", 0),
            ("blocks.2.attn.proj", 32),
            ("blocks.3.mlp.fc1", 64),
            ("blocks.5.mlp.fc2", 16),
        )
        for timestep in (early, middle, late)
    ]
    naive = [
        TileSpec("digits-stress", "naive-w4a4", "blocks.0.mlp.fc1", early),
        TileSpec("digits-stress", "naive-w4a4", "blocks.5.mlp.fc2", late),
    ]
    return rotated + naive


def capture_rows(
    quantized: QuantizedModel,
    config: ArrayConfig,
    specs: list[TileSpec],
    noise: Tensor,
    labels: Tensor,
    *,
    steps: int = 20,
) -> dict[TileSpec, NDArray[np.uint16]]:
    """The FP16 rows that the executed model feeds each tile's layer: the first `config.rows` tokens.

    Returns:
        Spec to uint16 (R, K), R = min(config.rows, tokens of the images given).
    """
    executed = on_machine(quantized, config)
    rows: dict[TileSpec, NDArray[np.uint16]] = {}
    current = 0

    def see(name: str, x: Tensor) -> None:
        for spec in specs:
            if (spec.layer, spec.timestep) == (name, current):
                flat = x.reshape(-1, x.shape[-1])[: config.rows].numpy()
                rows[spec] = fp16_bits(flat, f"{name}: input").copy()

    def eps(x: Tensor, t: Tensor, y: Tensor) -> Tensor:
        nonlocal current
        current = int(t[0])
        result: Tensor = executed(x, t, y)
        return result

    with observe(executed, see), torch.inference_mode():
        ddim_sample(eps, noise, labels, steps=steps, batch=len(noise))
    missing = [spec for spec in specs if spec not in rows]
    if missing:
        raise ValueError(f"specs: {missing[0]}: expected a block linear and a visited timestep")
    return rows
