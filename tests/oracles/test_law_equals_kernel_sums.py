"""The law and the kernels of every accumulator that rounds, on the same codes, to the bit."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsim import matmul
from fpsim.arith.dot_product import dot_product
from fpsim.formats import PRESETS, Accumulator, Format, get

ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn")
E5M9 = Format("e5m9", 5, 9, bias=15, specials="ieee")
TARGETS: tuple[str | Format, ...] = ("fp32", "fp16", "bf16", "e5m2", "e4m3", E5M9)
C_MODES = ("none", "finite", "special")


def kinds(rounding: Any, fmt: str | Format) -> list[Accumulator]:
    return [
        Accumulator.sequential(fmt, rounding),
        Accumulator.sequential(fmt, rounding, fused=False),
        Accumulator.sequential(fmt, rounding, scale="e8m0", block=8),
        Accumulator.tree(fmt, 8, rounding),
        Accumulator.tree(fmt, 4, rounding, fused=False, scale="ue4m3", block=16),
        Accumulator.exact_plus_c(fmt, rounding, step=8),
        Accumulator.exact_plus_c(fmt, rounding, scale="ue4m3", block=16),
        Accumulator.aligned(
            fraction_bits=11, integer_bits=64, c_inside=False, step=4, fmt=fmt, rounding=rounding,
            overflow="saturate", scale="e8m0", block=8,
        ),
        Accumulator.aligned(
            fraction_bits=9, step=8, zero_exponent=-30, fmt=fmt, rounding=rounding, overflow="saturate"
        ),
    ]  # fmt: skip


def random_codes(rng: np.random.Generator, fmt: str, shape: tuple[int, int], special: bool) -> np.ndarray:
    form = get(fmt)
    codes = rng.integers(0, form.n_codes, shape).astype(np.uint8 if form.bits <= 8 else np.uint16)
    if form.has_nan and not special:
        codes[(codes & form.magnitude_mask) > form.max_magnitude_code] = 0
    codes[rng.random(shape) < 0.15] = 0
    return codes


def random_c(rng: np.random.Generator, shape: tuple[int, int], mode: str) -> np.ndarray | None:
    if mode == "none":
        return None
    c = np.ldexp(rng.standard_normal(shape), rng.integers(-25, 18, shape)).astype(np.float32)
    if mode == "special":
        values = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38, -1e-40], np.float32)
        c = np.where(rng.random(shape) < 0.4, rng.choice(values, shape), c)
    return c


def compare(
    acc: Accumulator,
    pair: tuple[str, str],
    shape: tuple[int, int, int],
    c_mode: str,
    rng: np.random.Generator,
) -> int:
    """Assert that kernel and law agree on random operands; the number of outputs compared."""
    rows, cols, depth = shape
    special = c_mode == "special"
    a = random_codes(rng, pair[0], (rows, depth), special and rows > 1)
    b = random_codes(rng, pair[1], (cols, depth), special)
    scales: dict[str, np.ndarray] = {}
    if acc.scale is not None:
        low, high = (0, acc.scale.max_magnitude_code + 1 + special)
        if rng.integers(2):
            low, high = high // 2 - 8, high // 2 + 8
        blocks = -(-depth // acc.block)
        for name, count in (("a_scale", rows), ("b_scale", cols)):
            scales[name] = rng.integers(low, high, (count, blocks)).astype(np.uint8)
    c = random_c(rng, (rows, cols), c_mode)
    got = matmul(a, b, a_fmt=pair[0], b_fmt=pair[1], acc=acc, c=c, **scales).view(np.uint32)
    for m, n in itertools.product(range(rows), range(cols)):
        own = {f"{name}s": codes[m if name[0] == "a" else n].tolist() for name, codes in scales.items()}
        c_bits = 0 if c is None else int(c.view(np.uint32)[m, n])
        law = dot_product(a[m].tolist(), b[n].tolist(), *pair, acc, c_bits=c_bits, **own)
        where = f"{acc}\n{pair} K={depth} c={None if c is None else c[m, n]!r}"
        assert int(got[m, n]) == law, f"kernel {got[m, n]:#010x}, law {law:#010x}: {where}"
    return rows * cols


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("fmt", TARGETS, ids=str)
def test_every_kind_and_rounding(fmt: str | Format, rounding: str) -> None:
    rng = np.random.default_rng([210, ROUNDINGS.index(rounding), TARGETS.index(fmt)])
    ieee = get(fmt).has_inf
    pairs = [("e2m1", "e3m0"), ("int4", "int8"), ("e4m3", "e5m2"), ("fp16", "e3m2"), ("bf16", "bf16")]
    cases = 0
    for acc in kinds(rounding, fmt):
        for pair in pairs:
            integers_on_a_core = acc.kind == "aligned" and acc.c_inside and pair[0] == "int4"
            too_wide = acc.kind == "aligned" and not acc.c_inside and pair[0] == "bf16"
            if integers_on_a_core or too_wide:
                continue
            for c_mode in C_MODES if ieee else C_MODES[:2]:
                depth = int(rng.choice([1, 7, 16, 35]))
                cases += compare(acc, pair, (2, 3, depth), c_mode, rng)
    assert cases == (9 * 5 - 2) * (3 if ieee else 2) * 6


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset(name: str) -> None:
    rng = np.random.default_rng([211, list(PRESETS).index(name)])
    acc = PRESETS[name]
    pairs = [("e2m1", "e2m1")] if acc.group > 1 else [("e2m1", "e4m3"), ("e5m2", "e3m2"), ("fp16", "fp16")]
    cases = 0
    for pair, c_mode, depth in itertools.product(pairs, C_MODES, (1, acc.step, 2 * acc.step + 5)):
        if acc.integer_bits == 0 or "fp16" not in pair:
            cases += compare(acc, pair, (2, 2, depth), c_mode, rng)
    assert cases >= 36


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    data=st.data(),
    fmt=st.sampled_from(["fp32", "fp16", "bf16", "e5m2"]),
    rounding=st.sampled_from(ROUNDINGS),
    kind=st.integers(0, 8),
)
def test_single_sums(data: Any, fmt: str, rounding: str, kind: int) -> None:
    acc = kinds(rounding, fmt)[kind]
    depth = data.draw(st.integers(1, 20))
    codes = st.lists(st.integers(0, 255), min_size=depth, max_size=depth)
    a, b = data.draw(codes), data.draw(codes)
    c = np.uint32(data.draw(st.integers(0, (1 << 32) - 1)))
    scales: dict[str, Any] = {}
    if acc.scale is not None:
        scale = st.lists(st.integers(0, acc.scale.n_codes - 1), min_size=-(-depth // acc.block))
        for name in ("a_scale", "b_scale"):
            scales[name] = data.draw(scale)[: -(-depth // acc.block)]
    law = dot_product(
        a, b, "e5m2", "e4m3", acc, c_bits=int(c), **{f"{name}s": codes for name, codes in scales.items()}
    )
    arrays = {name: np.array([codes], np.uint8) for name, codes in scales.items()}
    got = matmul(
        np.array([a], np.uint8), np.array([b], np.uint8), a_fmt="e5m2", b_fmt="e4m3", acc=acc,
        c=np.array([[c]]).view(np.float32), **arrays,
    )  # fmt: skip
    assert int(got.view(np.uint32)[0, 0]) == law
