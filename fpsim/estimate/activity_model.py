"""An estimate on real data: energies of an embedded model with the codes that a recipe gives it.

The figures are those of `python -m fpsim.estimate.measure_activity`: counted while the model sampled, made
energies of by a table that was fitted to replays on the netlist.
"""

from __future__ import annotations

from functools import cache

from fpsim.array.config import ArrayConfig
from fpsim.estimate.activity_energy import measured_model, with_activity
from fpsim.estimate.activity_table import ActivityCosts, read_activity_costs
from fpsim.estimate.costs import DATA
from fpsim.estimate.estimate import LayerCost

OPERAND_BITS = 4
BASE_FORMAT = "e2m1"  # whose Gaussian energies an estimate without formats of its own is made of


def on_measured_data(
    costs: list[LayerCost], model: str, recipe: str, config: ArrayConfig, library: str
) -> list[LayerCost]:
    """Costs that were estimated on Gaussian E2M1 data, on a model's own, mean over blocks and timesteps.

    Args:
        costs: by kind of layer ("attn.qkv"), as an estimate of the model has them.
        model: an embedded model, "digits" or "glyphs".
        recipe: one that was measured.
        config: the machine.
        library: the cell library of the costs.

    Raises:
        ValueError: another library, machine, model or recipe than was measured, or operands that the array
            takes in passes or in another format.
    """
    measured = _costs(library)
    measured.check(config.unit)
    try:
        factors = measured_model(measured, model, recipe).mean_factors(BASE_FORMAT)
    except ValueError as error:
        raise ValueError(f"activity={recipe!r}: {error}") from error
    for cost in costs:
        operands = cost.layer.operands
        bits = operands.activation_bits, operands.weight_bits
        if cost.layer.name in factors and (
            bits != (OPERAND_BITS, OPERAND_BITS) or operands.fmt not in (None, BASE_FORMAT)
        ):
            raise ValueError(
                f"activity={recipe!r}: {cost.layer.name} has {bits[1]}-bit weights and {bits[0]}-bit "
                f"activations in {operands.fmt}: expected 4 and 4 in {BASE_FORMAT}"
            )
    return with_activity(costs, factors)


@cache
def _costs(library: str) -> ActivityCosts:
    known = {path.stem.removeprefix("activity_"): path for path in sorted(DATA.glob("activity_*.json"))}
    if library not in known:
        raise ValueError(
            f"library={library!r}: activity was measured for {', '.join(known)} "
            "(python -m fpsim.estimate.measure_activity LIBERTY)"
        )
    return read_activity_costs(known[library])
