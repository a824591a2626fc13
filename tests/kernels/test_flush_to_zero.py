"""Flush-to-zero, set by another library in this process, changes no result: integers inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from fpsim.arith.cast import encode as law_encode
from fpsim.formats import FORMATS, Format, get
from fpsim.kernels import cast
from fpsim.kernels.cast import decode, encode

ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn", "stochastic")
FORMS = (
    *FORMATS.values(),
    Format("e2m1", 2, 1, bias=148),
    Format("e3m0", 3, 0, bias=140),
    get("e1m2").scaled(2.0**-126),
    get("e2m1").with_bias(120.4),
    get("int8").scaled(1e-37),
)


@contextmanager
def flushing() -> Iterator[None]:
    """Subnormal operands and results of float instructions become zero in here."""
    try:
        assert torch.set_flush_denormal(True)
        tiny = np.array([1], np.uint32).view(np.float32)
        assert (tiny * np.float32(1)).view(np.uint32)[0] == 0
        yield
    finally:
        torch.set_flush_denormal(False)


def subnormals() -> list[np.ndarray[Any, Any]]:
    """Subnormals of the three types and their neighbourhood, by their bits."""
    result: list[np.ndarray[Any, Any]] = []
    for unsigned, man_bits, kind in ((np.uint16, 10, np.float16), (np.uint32, 23, np.float32),
                                     (np.uint64, 52, np.float64)):  # fmt: skip
        rng = np.random.default_rng(man_bits)
        low = rng.integers(0, 3 << man_bits, 400, dtype=np.uint64)
        low[:8] = (0, 1, 2, 3, (1 << man_bits) - 1, 1 << man_bits, 1 << (man_bits - 1), (1 << man_bits) + 1)
        sign = np.uint64(1 << (8 * np.dtype(kind).itemsize - 1))
        result.append(np.concatenate([low, low | sign]).astype(unsigned).view(kind))
    return result


def clear_tables() -> None:
    """What is built once per format is built again, under the setting of the moment."""
    for table in (cast._target, cast._four_bit_bounds, cast._value_table):
        table.cache_clear()


def everything(sources: list[np.ndarray[Any, Any]]) -> list[bytes]:
    """Codes of all formats, roundings and types, and the bits of all their values."""
    clear_tables()
    results = []
    for fmt in FORMS:
        codes = np.arange(min(fmt.n_codes, 1 << 16), dtype=np.uint32)
        if fmt.bias < 140:  # else float32 holds only some of the values
            results.append(decode(codes, fmt).tobytes())
        for x in sources:
            for rounding in ROUNDINGS:
                random = (np.arange(x.size) % 16, 4) if rounding == "stochastic" else None
                results.append(encode(x, fmt, rounding=rounding, random_bits=random).tobytes())  # type: ignore[arg-type]
    return results


def test_casts_give_the_same_bits() -> None:
    sources = subnormals()
    want = everything(sources)
    with flushing():
        got = everything(sources)
    assert got == want
    assert len(want) == len(FORMS) * 3 * 6 + len(FORMS) - 2
    clear_tables()


def test_the_law_gives_the_same_codes() -> None:
    numbers = [Fraction(int(bits)) * Fraction(2) ** -149 for bits in subnormals()[1].view(np.uint32)[:60]]

    def law() -> list[int]:
        return [law_encode(x, fmt, rounding=r) for fmt in FORMS for x in numbers for r in ("rne", "rup")]  # type: ignore[arg-type]

    want = law()
    with flushing():
        assert law() == want
    assert len(want) == len(FORMS) * 60 * 2


def test_float32_subnormals_survive_a_round_trip_under_flushing() -> None:
    bits = np.arange(0, 1 << 23, 4099, dtype=np.uint32)
    with flushing():
        codes = encode(bits.view(np.float32), "fp32")
        assert codes.tolist() == bits.tolist()
        assert decode(codes, "fp32").view(np.uint32).tolist() == bits.tolist()
