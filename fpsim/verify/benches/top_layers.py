"""Random small layers for `fpsim_top`: every recipe that its registers know, rows of every kind."""

from __future__ import annotations

import random
from itertools import product

import numpy as np

from fpsim.array.config import WIDE_FORMATS
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.top import OUTER_ORDERS, TopConfig
from fpsim.formats import get

Rows = list[list[int]]


def format_pairs(config: TopConfig) -> list[tuple[str, str]]:
    """Every pair of operand formats that is built in: activations, weights."""
    unit = config.array.unit
    return list(product((*unit.formats, *(WIDE_FORMATS if unit.wide else ())), repeat=2))


def random_layer(
    config: TopConfig,
    rng: random.Random,
    m: int,
    n: int,
    k: int,
    *,
    rotate: bool,
    static: bool,
    formats: tuple[str, str] | None = None,
    zeros: tuple[bool, bool] | None = None,
) -> tuple[LayerProgram, Rows]:
    """A layer of that shape and M rows of FP16 bits.

    Without `formats`, any two that are built in; without `zeros`, zero points on either side or none, by
    chance. Where a format has none, there are none.
    """
    act_fmt, weight_fmt = formats or rng.choice(format_pairs(config))
    width = get(weight_fmt).bits
    wanted = zeros or (rng.random() < 0.4, rng.random() < 0.4)
    a_zero, b_zero = (
        want and config.zeros and fmt.startswith("int")
        for want, fmt in zip(wanted, (act_fmt, weight_fmt), strict=True)
    )
    half = get(act_fmt).n_codes // 2
    block = rng.choice(blocks(config, k)) if rotate else 1
    return (
        LayerProgram(
            name="random",
            act_fmt=act_fmt,
            weight_fmt=weight_fmt,
            weight_codes=np.array([[rng.getrandbits(width) for _ in range(k)] for _ in range(n)], np.uint8),
            col_scale=np.array(
                [rng.randrange(105, 130) << 10 | rng.getrandbits(10) for _ in range(n)], np.uint32
            ),
            bias=np.array([_fp16(rng, 15) for _ in range(n)], np.uint16),
            signs=np.array([rng.choice((-1, 1)) for _ in range(k)], np.int8) if rotate else None,
            static=_static(config, rng, block, a_zero) if static else None,
            hadamard_n=block if rotate else None,
            act_zero=None if not a_zero else rng.randint(-half, half - 1) if static else "row",
            weight_zero=np.array([_zero(rng) for _ in range(n)], np.int16) if b_zero else None,
        ),
        [_row(rng, k) for _ in range(m)],
    )


def blocks(config: TopConfig, k: int) -> list[int]:
    """Sizes of a rotation's blocks that make a row of K elements whole; every second one is the largest."""
    lanes = config.array.unit.hadamard_n
    orders = [order << e for order in OUTER_ORDERS for e in range(7)] if config.outer else [1]
    sizes = sorted({lanes * order for order in orders if k % (lanes * order) == 0})
    return sizes + sizes[-1:] * len(sizes)


def _zero(rng: random.Random) -> int:
    """Small, as real layers have them, or any; both ends."""
    return rng.choice(
        (rng.randint(-128, 127), rng.randint(-(1 << 15), (1 << 15) - 1), -(1 << 15), (1 << 15) - 1)
    )


def _fp16(rng: random.Random, most_exponent: int) -> int:
    return rng.getrandbits(1) << 15 | rng.randint(0, most_exponent) << 10 | rng.getrandbits(10)


def _row(rng: random.Random, k: int) -> list[int]:
    """Large, middling, subnormal numbers; sparse rows; rows of one sign; zeros of both."""
    kind = rng.choices(("wide", "near", "subnormal", "sparse", "zero", "side"), (3, 3, 1, 2, 1, 2))[0]
    if kind == "zero":
        return [rng.getrandbits(1) << 15 for _ in range(k)]
    if kind == "subnormal":
        return [_fp16(rng, 0) for _ in range(k)]
    if kind == "near":
        top = rng.randint(3, 30)
        return [
            rng.getrandbits(1) << 15 | rng.randint(top - 3, top) << 10 | rng.getrandbits(10) for _ in range(k)
        ]
    row = [_fp16(rng, 30) for _ in range(k)]
    if kind == "side":
        sign = rng.getrandbits(1) << 15
        return [x & 0x7FFF | sign for x in row]
    return [x if kind == "wide" or rng.random() < 0.2 else 0 for x in row]


def _static(config: TopConfig, rng: random.Random, block: int, zero: bool) -> StaticScale:
    unit = config.array.unit
    bits = unit.align_bits - (not zero) + block.bit_length() - 1
    wide = rng.randint(1, bits)
    amp = rng.randint(1 << (wide - 1), (1 << wide) - 1)
    return StaticScale(rng.randint(1, 30), amp >> max(wide - 11, 0) << max(wide - 11, 0))
