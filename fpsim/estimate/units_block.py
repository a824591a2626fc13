"""Dot products of blocks under 8-bit scales, characterized: rows of x and of w, block after block."""

from __future__ import annotations

from functools import partial

import numpy as np

from fpsim.array.config import ArrayConfig
from fpsim.estimate.drive import BEATS, IDLE, Unit, clocked
from fpsim.estimate.stimulus import Operands, Run
from fpsim.quant.tensor import quantize

MX_RECIPE, NV_RECIPE = "mxfp4-rceil", "nvfp4"


def block_units(config: ArrayConfig) -> list[Unit]:
    """`dot_mx` and `dot_nvfp4`; their operands are E2M1, so they go with a machine that has it."""
    if "e2m1" not in config.unit.formats:
        return []
    found = []
    for name, lanes, recipe in (("dot_mx", 32, MX_RECIPE), ("dot_nvfp4", 16, NV_RECIPE)):
        meaning = {"beat": f"one block of {lanes} products", "idle": IDLE}
        drive = partial(_dot, lanes=lanes, recipe=recipe)
        found.append(Unit(name, f"fpsim_{name}", {}, meaning, drive, lanes, config))
    return found


def _dot(data: Operands, config: ArrayConfig, *, lanes: int, recipe: str) -> list[Run]:
    """Sums of a row of x and a row of w, both quantized by the recipe; every sum another pair of rows."""
    x = data.x_bits.view(np.float16).astype(np.float32)
    sides = quantize(x, recipe), quantize(data.w_bits.view(np.float16).astype(np.float32), recipe)
    blocks = x.shape[1] // lanes
    rows = np.arange(-(-BEATS // blocks))
    columns = {}
    for side, found, chosen in zip("ab", sides, (rows % len(x), rows * 7 % len(data.w_bits)), strict=True):
        codes = found.codes[chosen].reshape(-1, lanes)[:BEATS]
        columns[f"{side}_codes_i"] = codes.astype(np.int64)
        columns[f"{side}_scale_i"] = found.scales[chosen].reshape(-1)[:BEATS].astype(np.int64)
    place = np.arange(BEATS) % blocks
    columns["in_first_i"] = (place == 0).astype(np.int64)
    columns["in_last_i"] = (place == blocks - 1).astype(np.int64)
    return clocked(columns, "beat", ("in_valid_i",))
