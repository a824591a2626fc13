"""Energy with real activity: unit costs, taken with Gaussian data, times what a layer's own data make of it.

Only the array and the Hadamard engine follow the data. SRAM and DRAM do not: their constants (CACTI, pJ per
bit) do not say what data they stand for; the transitions of their buses are counted and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.estimate.activity_table import ENDS, ActivityCosts, PartFactors
from fpsim.estimate.band import Band
from fpsim.estimate.costs import UnitCosts
from fpsim.estimate.estimate import LayerCost, estimate
from fpsim.estimate.shapes import Layer, Operands

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MeasuredModel:
    """What a model under a recipe showed on the machine, out of a file of activity costs.

    Attributes:
        costs: the file.
        model, recipe: names.
        record: their entry in it.
    """

    costs: ActivityCosts
    model: str
    recipe: str
    record: dict[str, Any]

    @property
    def timesteps(self) -> list[int]:
        """Those that the sampler visited, in its order."""
        return [int(step) for step in self.record["timesteps"]]

    @property
    def layers(self) -> list[str]:
        """Names of the layers, in the order of execution."""
        return list(self.record["layers"])

    @property
    def quantities(self) -> list[str]:
        """Registers and buses whose rate of transitions is known."""
        return list(self.record["rates"])

    def rate(self, quantity: str) -> Floats:
        """(layers, timesteps): share of a register's or a bus's bits that changes from one step to the next.

        Raises:
            ValueError: an unknown register or bus.
        """
        if quantity not in self.record["rates"]:
            raise ValueError(f"quantity={quantity!r}: expected one of {', '.join(self.quantities)}")
        return np.array(self.record["rates"][quantity], np.float64)

    @property
    def element_fj(self) -> Floats:
        """(layers, timesteps, 3): energy of a processing element's cycle, low, mid, high."""
        return np.array(self.record["element_fj"], np.float64)

    def factors(self, layer: str, timestep: int, fmt: str = "e2m1") -> PartFactors:
        """What the layer's data make of Gaussian energies of a format at that timestep (`layer_factors`).

        Raises:
            ValueError: an unknown layer or timestep.
        """
        for name, value, known in (("layer", layer, self.layers), ("timestep", timestep, self.timesteps)):
            if value not in known:
                raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(str, known))}")
        at = self.layers.index(layer), self.timesteps.index(timestep)
        return self._factors(layer, self.element_fj[at], float(self.rate("butterfly")[at]), fmt)

    def mean_factors(self, fmt: str = "e2m1") -> dict[str, PartFactors]:
        """The same by kind of layer ("attn.qkv"), over all blocks and timesteps: for `with_activity`, on the
        layers of `fpsim.estimate.shapes`."""
        found = {}
        energies, rates = self.element_fj, self.rate("butterfly")
        for kind in dict.fromkeys(name.split(".", 2)[2] for name in self.layers):
            rows = [i for i, name in enumerate(self.layers) if name.endswith(f".{kind}")]
            first = self.layers[rows[0]]
            found[kind] = self._factors(
                first, energies[rows].mean(axis=(0, 1)), float(rates[rows].mean()), fmt
            )
        return found

    def _factors(self, layer: str, element_fj: Floats, engine_rate: float, fmt: str) -> PartFactors:
        info = self.record["layers"][layer]
        rate = engine_rate if info["in_engine"] else None
        return self.costs.part_factors(element_fj, rate, rotated=info["rotated"], fmt=fmt)

    def shape(self, layer: str, *, images: int = 1) -> Layer:
        """The layer as the estimate takes it, for so many images in one forward pass."""
        info = self.record["layers"][layer]
        rows = info["m"] // self.costs.record["sampling"]["images"] * images
        operands = Operands(fmt="e2m1", static=info["static"])
        return Layer(layer, rows, info["n"], info["k"], operands=operands)


def measured_model(costs: ActivityCosts, model: str, recipe: str) -> MeasuredModel:
    """A model under a recipe in a file of activity costs.

    Raises:
        ValueError: it is not in the file; the message lists what is.
    """
    models = costs.record["models"]
    if model not in models:
        raise ValueError(f"model={model!r}: expected one of {', '.join(models)}")
    if recipe not in models[model]:
        raise ValueError(f"recipe={recipe!r}: expected one of {', '.join(models[model])}")
    return MeasuredModel(costs, model, recipe, models[model][recipe])


def with_activity(costs: list[LayerCost], activity: Mapping[str, PartFactors]) -> list[LayerCost]:
    """Costs that `estimate` gave on Gaussian data, on other data.

    Args:
        costs: by layer.
        activity: name of a layer to the factors of its parts; layers and parts without one stay.

    Raises:
        ValueError: factors of a layer that is not there, or of a part that it does not have.
    """
    unknown = set(activity) - {cost.layer.name for cost in costs}
    if unknown:
        raise ValueError(f"activity: {', '.join(sorted(unknown))}: expected names of the estimate's layers")
    found = []
    for cost in costs:
        factors = {} if cost.on_host else activity.get(cost.layer.name, {})
        strange = set(factors) - set(cost.parts_pj)
        if strange:
            raise ValueError(
                f"activity: {cost.layer.name}: {', '.join(sorted(strange))}: "
                f"expected parts out of {', '.join(cost.parts_pj)}"
            )
        parts = {part: _times(band, factors.get(part)) for part, band in cost.parts_pj.items()}
        found.append(replace(cost, parts_pj=parts))
    return found


def _times(band: Band, factors: tuple[float, float, float] | None) -> Band:
    """End by end; where ends would cross, which a table's error may do, the outer one gives way."""
    if factors is None:
        return band
    low, mid, high = (getattr(band, end) * factor for end, factor in zip(ENDS, factors, strict=True))
    return Band(min(low, mid), mid, max(mid, high))


def energy_by_layer(
    measured: MeasuredModel, config: ArrayConfig, units: UnitCosts, *, images: int = 1
) -> dict[tuple[str, int], LayerCost]:
    """Cost of every layer at every timestep, with the data that it had there.

    Args:
        measured: the model's activity.
        config: the machine.
        units: its unit costs.
        images: images that go through one forward pass together.

    Raises:
        ValueError: costs of other units.
    """
    measured.costs.check(config.unit)
    layers = [measured.shape(name, images=images) for name in measured.layers]
    plain = estimate(layers, config, units)
    found: dict[tuple[str, int], LayerCost] = {}
    for timestep in measured.timesteps:
        factors = {name: measured.factors(name, timestep) for name in measured.layers}
        for cost in with_activity(plain, factors):
            found[cost.layer.name, timestep] = cost
    return found
