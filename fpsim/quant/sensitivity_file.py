"""Sensitivities as a file: measuring takes minutes, and a run that was cut off goes on where it was."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from fpsim.dit.files import write_whole
from fpsim.quant.sensitivity_quality import Measure

Layers = dict[str, dict[Measure, NDArray[np.float64]]]  # name to measure to (R, W, N)
_KEY = "key"
_MEASURES: tuple[Measure, ...] = get_args(Measure)


def write_changes(path: Path, key: str, layers: Layers) -> None:
    """Write what is known of some layers, whole or not at all."""
    arrays: dict[str, NDArray[Any]] = {_KEY: np.array(key)}
    for name, measures in layers.items():
        arrays |= {f"{name}/{measure}": values for measure, values in measures.items()}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue())


def read_changes(path: Path, key: str) -> Layers:
    """What `write_changes` wrote under that key; nothing where there is no such file, or a damaged one."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            if str(file[_KEY]) != key:
                return {}
            layers: Layers = {}
            for entry in file.files:
                name, _, measure = entry.rpartition("/")
                if name:
                    layers.setdefault(name, {})[_MEASURES[_MEASURES.index(measure)]] = file[entry]
            return layers
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}
