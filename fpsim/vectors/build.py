"""Build the committed golden sets: capture real rows once, then make every set from those rows by the law.

Rows come from float32 host code, which another processor may round differently in the last bit. So the rows
that were captured are data (the set of the unit "layer"), and making the sets again starts from them.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.layer import Machine
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.dit.checkpoint import load_noise
from fpsim.dit.threads import use_threads
from fpsim.dit.workload import load_model
from fpsim.quant.capture import capture_rows
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.recipes import quantize_model
from fpsim.vectors.golden_set import GoldenSet, read, write
from fpsim.vectors.make import TracedTile, make_sets, trace_tiles
from fpsim.vectors.tiles import TileSpec, demo_specs

SET_NAME = "digits"
COMMAND = "fpsim golden"
SEED = 0
Tile = tuple[TileSpec, LayerProgram, list[list[int]]]


def set_paths(folder: Path) -> list[Path]:
    """Folders of all golden sets below `folder`, sorted."""
    return sorted(manifest.parent for manifest in folder.glob("*/*/manifest.json"))


def build_sets(folder: Path, config: ArrayConfig, *, capture: bool = False) -> list[Path]:
    """Write the golden sets of every unit below `folder` and return their folders.

    Args:
        folder: where the sets lie; `folder/layer/digits` holds the captured rows.
        config: the machine; must be the one that the rows were captured for, unless `capture`.
        capture: take rows from a sampling run on this machine instead of the stored ones.

    Raises:
        FileNotFoundError: no captured rows, and `capture` was not asked for.
        ValueError: rows captured for another configuration, or law and kernel disagree on a tile.
    """
    layer_set = folder / "layer" / SET_NAME
    tiles = captured_tiles(config) if capture else stored_tiles(read(layer_set), config)
    traced = trace_tiles(config, tiles)
    for tile in traced:
        _check_kernel(config, tile)
    paths = []
    for unit, golden in make_sets(config, traced, seed=SEED, command=COMMAND).items():
        write(folder / unit / SET_NAME, golden)
        paths.append(folder / unit / SET_NAME)
    return paths


def _quantized(specs: list[TileSpec], config: ArrayConfig) -> dict[tuple[str, str], QuantizedModel]:
    wanted = dict.fromkeys((spec.model, spec.recipe) for spec in specs)
    return {key: quantize_model(load_model(key[0]), key[1], config) for key in wanted}


def captured_tiles(config: ArrayConfig) -> list[Tile]:
    """Tiles of `demo_specs`, their rows taken from a sampling run of one image on this machine."""
    use_threads(1)  # one image is too small for threads to pay
    specs = demo_specs()
    start = load_noise(max(1, config.rows // 16))
    tiles: list[Tile] = []
    for key, quantized in _quantized(specs, config).items():
        own = [spec for spec in specs if (spec.model, spec.recipe) == key]
        places = {(spec.layer, spec.timestep) for spec in own}
        rows = capture_rows(quantized, config, places, start.noise, start.labels)
        tiles += [
            (spec, _program(quantized, spec.layer), rows[spec.layer, spec.timestep].tolist()) for spec in own
        ]
    return tiles


def stored_tiles(layer_set: GoldenSet, config: ArrayConfig) -> list[Tile]:
    """Tiles whose rows (and static scale registers) are those of a stored "layer" set."""
    if layer_set.config != config:
        raise ValueError(f"config: {config}, but the rows were captured for {layer_set.config}; capture anew")
    words = iter(layer_set.beats["x"])
    described = layer_set.extra["tiles"]
    specs = [TileSpec(**{name: d[name] for name in TileSpec.__dataclass_fields__}) for d in described]
    quantized = _quantized(specs, config)
    tiles: list[Tile] = []
    for spec, d in zip(specs, described, strict=True):
        static = StaticScale(**d["static"]) if d["static"] else None
        program = replace(_program(quantized[spec.model, spec.recipe], spec.layer), static=static)
        tiles.append((spec, program, [[next(words) for _ in range(d["k"])] for _ in range(config.rows)]))
    return tiles


def _program(quantized: QuantizedModel, layer: str) -> LayerProgram:
    found = next(program for program in quantized.programs if program.name == layer)
    if not isinstance(found, LayerProgram):
        raise ValueError(f"layer={layer!r}: a {type(found).__name__}, expected one that the array runs")
    return found


def _check_kernel(config: ArrayConfig, tile: TracedTile) -> None:
    """Law and kernel must agree on the tile before anything is written."""
    x: NDArray[np.uint16] = np.array([row.x for row in tile.trace.rows], dtype=np.uint16)
    y = Machine(config, [tile.program]).run(tile.program.name, x)
    first = tile.spec.first_col
    if y[:, first : first + config.cols].tolist() != tile.trace.y:
        raise ValueError(f"law and kernel disagree on {tile.spec}")
