"""Which real layer tiles become golden vectors."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from fpsim.dit.diffusion import ddim_timesteps


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
