"""Channel factors in front of a model's linears: x / s and W diag(s), where each of them can be done.

Modulated norms and value rows take the division up offline (`fpsim.quant.fold`). For what follows a GELU the
host multiplies rows by 1 / s as it rounds them to FP16 (`Phase.input_scale`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsim.dit.model import DiT
from fpsim.quant.fold import can_fold, fold_inputs


@dataclass(frozen=True, eq=False)
class Balanced:
    """A model with channel factors.

    Attributes:
        model: computes what the original does; factors that could be folded are in it.
        input_scale: layer name to float32 (K,), 1 / s of the others.
        rows: layer name to float32 (S, K), calibration rows as each linear of `model` is fed (those of
            `input_scale` not multiplied by it yet).
    """

    model: DiT
    input_scale: dict[str, NDArray[np.float32]]
    rows: dict[str, NDArray[np.float32]]


def balance(
    model: DiT, factors: Mapping[str, NDArray[np.float64]], rows: Mapping[str, NDArray[np.float32]]
) -> Balanced:
    """Divide the inputs of linears by channel factors.

    Args:
        model: its block linears not replaced.
        factors: layer name to float64 (K,), positive and finite.
        rows: layer name to float32 (S, K), what the linears of `model` are fed.
    """
    folded = {name: s for name, s in factors.items() if can_fold(model, name)}
    return Balanced(
        fold_inputs(model, folded),
        {name: (1 / s).astype(np.float32) for name, s in factors.items() if name not in folded},
        {name: (x / folded[name]).astype(np.float32) if name in folded else x for name, x in rows.items()},
    )


def no_factors(model: DiT, rows: Mapping[str, NDArray[np.float32]]) -> Balanced:
    """The model as it is."""
    return Balanced(model, {}, dict(rows))
