"""Layers of a real model, rows and results, in one file: what the bench of the whole accelerator is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fpsim.array.program import LayerProgram, StaticScale

LAYERS_VARIABLE = "FPSIM_TOP_LAYERS"


@dataclass(frozen=True, eq=False)
class LayerRun:
    """A layer, rows, and what the machine makes of them.

    Attributes:
        program: the layer.
        x: uint16 (M, K), FP16 bits.
        y: uint16 (M, N), FP16 bits.
    """

    program: LayerProgram
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]


def write_layers(path: Path, layers: Sequence[LayerRun]) -> None:
    """Write the layers as one .npz file."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for index, layer in enumerate(layers):
        program, static = layer.program, layer.program.static
        weight_zero = program.weight_zero
        arrays |= {
            f"{index}.names": np.array([program.name, program.act_fmt, program.weight_fmt]),
            f"{index}.weight_codes": program.weight_codes,
            f"{index}.col_scale": program.col_scale,
            f"{index}.bias": program.bias,
            f"{index}.signs": np.zeros(0, np.int8) if program.signs is None else program.signs,
            f"{index}.static": np.array([] if static is None else [static.exp, static.amp], np.int64),
            f"{index}.hadamard_n": np.array(program.hadamard_n or 0),
            f"{index}.act_zero": np.array(str(program.act_zero)),
            f"{index}.weight_zero": np.zeros(0, np.int16) if weight_zero is None else weight_zero,
            f"{index}.x": layer.x,
            f"{index}.y": layer.y,
        }
    with path.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_layers(path: str | Path) -> list[LayerRun]:
    """The layers that `write_layers` wrote."""
    layers = []
    with np.load(path) as data:
        for index in range(sum(name.endswith(".names") for name in data)):
            name, act_fmt, weight_fmt = (str(text) for text in data[f"{index}.names"])
            signs, static = data[f"{index}.signs"], data[f"{index}.static"]
            weight_zero = data[f"{index}.weight_zero"]
            program = LayerProgram(
                name,
                act_fmt,
                weight_fmt,
                data[f"{index}.weight_codes"],
                data[f"{index}.col_scale"],
                data[f"{index}.bias"],
                signs if len(signs) else None,
                StaticScale(int(static[0]), int(static[1])) if len(static) else None,
                hadamard_n=int(data[f"{index}.hadamard_n"]) or None,
                act_zero=_act_zero(str(data[f"{index}.act_zero"])),
                weight_zero=weight_zero if len(weight_zero) else None,
            )
            layers.append(LayerRun(program, data[f"{index}.x"], data[f"{index}.y"]))
    return layers


def _act_zero(text: str) -> int | Literal["row"] | None:
    if text == "None":
        return None
    return "row" if text == "row" else int(text)
