"""A bit width for every layer and range of timesteps, and what it amounts to in bits, passes and storage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fpsim.dit.diffusion import TRAIN_STEPS
from fpsim.dit.hooks import BlockModel, block_linears, observe
from fpsim.quant.viditq_layer import Width

Price = Literal["weight-bits", "passes"]
Per = Literal["parameter", "mac", "layer"]


@dataclass(frozen=True)
class LayerSize:
    """A layer's parameters (without bias) and its multiply-accumulates in one pass over one sample."""

    parameters: int
    macs: int

    def weight(self, per: Per) -> int:
        """What the layer counts for in a mean."""
        return {"parameter": self.parameters, "mac": self.macs, "layer": 1}[per]


@dataclass(frozen=True)
class Budget:
    """A mean that an assignment must not exceed, over all layers and sampler steps.

    Attributes:
        limit: bits or passes.
        price: "weight-bits": bits of a weight code. "passes": passes over the 4-bit array.
        per: what the mean is weighted by: parameters, multiply-accumulates, or every layer alike.
    """

    limit: float
    price: Price = "weight-bits"
    per: Per = "parameter"

    def __post_init__(self) -> None:
        if self.price not in ("weight-bits", "passes"):
            raise ValueError(f"price={self.price!r}: expected 'weight-bits' or 'passes'")
        if self.per not in ("parameter", "mac", "layer"):
            raise ValueError(f"per={self.per!r}: expected 'parameter', 'mac' or 'layer'")
        if not 0 < self.limit < np.inf:
            raise ValueError(f"limit={self.limit!r}: expected a positive number")

    def of(self, width: Width) -> int:
        """The price of one operation at that width."""
        return width.weight if self.price == "weight-bits" else width.passes


@dataclass(frozen=True)
class Assignment:
    """Widths by layer and range.

    Attributes:
        layers: names, in execution order.
        ranges: of indices into the sampler's steps, in sampling order.
        widths: for every layer, one width per range.
    """

    layers: tuple[str, ...]
    ranges: tuple[tuple[int, ...], ...]
    widths: tuple[tuple[Width, ...], ...]

    def at(self, index: int) -> dict[str, Width]:
        """Layer name to width in the range of that index."""
        return {name: widths[index] for name, widths in zip(self.layers, self.widths, strict=True)}

    def mean(self, price: Price, per: Per, sizes: Mapping[str, LayerSize]) -> float:
        """Mean weight bits or passes over layers and sampler steps."""
        budget, spent, total = Budget(1, price, per), 0, 0
        for name, widths in zip(self.layers, self.widths, strict=True):
            for steps, width in zip(self.ranges, widths, strict=True):
                weight = sizes[name].weight(per) * len(steps)
                spent, total = spent + weight * budget.of(width), total + weight
        return spent / total

    def storage_bits(self, sizes: Mapping[str, LayerSize]) -> float:
        """Mean bits per parameter that all weight codes together take.

        A layer that runs at two widths of weights is stored twice: its scales and zero points differ with the
        width, so neither copy holds the other.
        """
        stored = sum(
            sizes[name].parameters * sum({width.weight for width in widths})
            for name, widths in zip(self.layers, self.widths, strict=True)
        )
        return stored / sum(sizes[name].parameters for name in self.layers)

    def count(self, width: Width) -> int:
        """Layers times ranges that have this width."""
        return sum(widths.count(width) for widths in self.widths)


def spending(
    budget: Budget,
    layers: tuple[str, ...],
    ranges: tuple[tuple[int, ...], ...],
    widths: tuple[Width, ...],
    sizes: Mapping[str, LayerSize],
) -> tuple[NDArray[np.int64], int]:
    """The budget as an integer program has it.

    Returns:
        int64 (L · R, W), what each layer, range and width spends, layers outermost; and the whole budget,
        `limit` times the weights, rounded down.
    """
    weights = [sizes[name].weight(budget.per) * len(steps) for name in layers for steps in ranges]
    spend = np.array([[weight * budget.of(width) for width in widths] for weight in weights], np.int64)
    return spend.reshape(-1, len(widths)), int(np.floor(budget.limit * sum(weights) + 1e-6))


def layer_sizes(model: BlockModel, noise: Tensor, labels: Tensor) -> dict[str, LayerSize]:
    """The sizes of all block linears, from one pass over the first of these samples."""
    sizes: dict[str, LayerSize] = {}
    linears = block_linears(model)

    def see(name: str, x: Tensor) -> None:
        parameters = linears[name].weight.numel()
        sizes[name] = LayerSize(parameters, parameters * (x.numel() // x.shape[-1]))

    with observe(model, see):
        model(noise[:1], noise.new_full((1,), TRAIN_STEPS - 1).long(), labels[:1])
    return {name: sizes[name] for name in linears}
