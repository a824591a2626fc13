"""The floating-point processing element against IEEE 754: a processor's adder (FP16), Fractions (FP32)."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.estimate.reference import Device, Reference
from fpsim.estimate.synth import source_files
from fpsim.kernels.float32_sums import in_order
from fpsim.verify.rtl_files import default_rtl_folder

MODULE = "fpsim_pe_float"
LATENCY = 2  # operand registers, then the register of the sum that the next `first` hands over
HALF, SINGLE = (5, 10), (8, 23)
K = 24

Bits = NDArray[np.int64]


def bits(values: Bits, width: int) -> NDArray[np.uint8]:
    return (values[:, None] >> np.arange(width) & 1).astype(np.uint8)


def sums_of(rtl: Path, folder: Path, fmt: tuple[int, int], a: Bits, b: Bits) -> NDArray[np.uint32]:
    """FP32 bits of the sums of rows of products, from the RTL; operands' bits (M, K)."""
    width = 1 + sum(fmt)
    ports = {"a_i": width + 1, "b_i": width}, {"a_o": width + 1, "b_o": width, "out_o": 32}
    folder.mkdir()
    device = Device(MODULE, {"ExpW": fmt[0], "ManW": fmt[1]}, *ports, clocked=True)
    reference = Reference({"pe": device}, source_files(rtl, [MODULE]), folder)
    m, k = a.shape
    first = np.zeros((m + 1, k), np.int64)
    first[:, 0] = 1  # of a further row, which hands the last sum over
    columns = [np.vstack([x, np.zeros((1, k), np.int64)]).ravel() for x in (a, b)]
    stimulus = np.hstack([bits(first.ravel() << width | columns[0], width + 1), bits(columns[1], width)])
    found = reference.run({"pe": stimulus})["pe"][:, 2 * width + 1 :].astype(np.uint32)
    words = (found << np.arange(32, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
    return words[np.arange(1, m + 1) * k + LATENCY]


def operands(fmt: tuple[int, int], rows: int) -> tuple[Bits, Bits]:
    """Rows of every kind of magnitude, rows that cancel, and all pairs of special values; all finite."""
    exp, man = fmt
    random = np.random.default_rng(5)
    infinity, sign = ((1 << exp) - 1) << man, 1 << exp + man
    anything = random.integers(0, infinity, (2, 2 * rows, K)) | random.integers(0, 2, (2, 2 * rows, K)) * sign
    one = ((1 << exp - 1) - 1) << man
    near = one - (1 << man) * random.integers(0, 6, (2, rows, K)) + random.integers(0, 1 << man, (2, rows, K))
    a, b = near.copy()
    a[:, 1::2], b[:, 1::2] = a[:, ::2] ^ sign, b[:, ::2]  # sums that cancel to 0, and almost
    b[::2, 1] ^= 1
    special = (0, sign, 1, sign | 1, (1 << man) - 1, 1 << man, one, sign | one, infinity - 1)
    pairs = np.array([[x, y] for x in special for y in special])
    both = [np.resize(pairs[:, side], (len(pairs), K)) for side in (0, 1)]
    sides = [np.vstack(parts) for parts in zip(anything, near, (a, b), both, strict=True)]
    return sides[0], sides[1]


def in_float32(a: Bits, b: Bits) -> NDArray[np.uint32]:
    """numpy's float32: a product of two FP16 numbers is exact in it, a sum rounds as IEEE 754 says."""
    acc = np.zeros(len(a), np.float32)
    for x, y in zip(a.astype(np.uint16).T, b.astype(np.uint16).T, strict=True):
        acc = acc + x.view(np.float16).astype(np.float32) * y.view(np.float16).astype(np.float32)
    return acc.view(np.uint32)


def nearest(value: Fraction, zero: float) -> float:
    """The FP32 number nearest to a number, ties to even (as `round` does); `zero` for an exact 0."""
    if value == 0:
        return zero
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
    exponent -= abs(value) < Fraction(2) ** exponent  # of the leading bit
    quantum = Fraction(2) ** max(exponent - 23, -149)
    rounded = round(value / quantum) * quantum
    if abs(rounded) >= 2**128:
        return math.copysign(math.inf, value)
    return math.copysign(float(rounded), value)


def by_fractions(a: Bits, b: Bits) -> NDArray[np.uint32]:
    """Exact product, exact sum, one rounding; an infinite sum stays."""
    sums = []
    for row_a, row_b in zip(*(x.astype(np.uint32).view(np.float32).tolist() for x in (a, b)), strict=True):
        acc = 0.0
        for x, y in zip(row_a, row_b, strict=True):
            if math.isinf(acc):
                break
            product = Fraction(x) * Fraction(y)
            minus = math.copysign(1, acc) < 0 and math.copysign(1, x) * math.copysign(1, y) < 0
            acc = nearest(Fraction(acc) + product, -0.0 if minus and product == 0 else 0.0)
        sums.append(acc)
    return np.array(sums, np.float32).view(np.uint32)


@pytest.mark.rtl
def test_half_precision_is_ieee_754s(tmp_path: Path) -> None:
    a, b = operands(HALF, 200)
    found = sums_of(default_rtl_folder(), tmp_path / "rtl", HALF, a, b)
    np.testing.assert_array_equal(found, in_float32(a, b))


@pytest.mark.rtl
def test_single_precision_is_ieee_754s(tmp_path: Path) -> None:
    a, b = operands(SINGLE, 40)
    found = sums_of(default_rtl_folder(), tmp_path / "rtl", SINGLE, a, b)
    np.testing.assert_array_equal(found, by_fractions(a, b))


def test_it_is_what_the_half_program_computes() -> None:
    a, b = operands(HALF, 200)
    values = [x.astype(np.uint16).view(np.float16).astype(np.float32) for x in (a, b)]
    found = np.array([in_order(x[None], y[:, None])[0, 0] for x, y in zip(*values, strict=True)], np.float32)
    np.testing.assert_array_equal(found.view(np.uint32), in_float32(a, b))


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("fault", "instead"),
    [
        ("(BIAS + ManW);", "(BIAS + ManW) + 1;"),
        ("TERM_W'({a_normal, a_man})", "TERM_W'({1'b1, a_man})"),
        ("a_neg ^ b_neg", "a_neg"),
        ("{fpsim_pkg::FP32_W{!first}}", "{fpsim_pkg::FP32_W{1'b1}}"),
        ("b_exp[0] | !b_normal", "b_exp[0]"),
    ],
)
def test_a_wrong_bit_is_seen(tmp_path: Path, fault: str, instead: str) -> None:
    faulty = tmp_path / "faulty"
    faulty.mkdir()
    for file in source_files(default_rtl_folder(), [MODULE]):
        (faulty / file.name).write_text(file.read_text())
    text = (faulty / f"{MODULE}.sv").read_text()
    assert text.count(fault) == 1
    (faulty / f"{MODULE}.sv").write_text(text.replace(fault, instead))
    a, b = operands(HALF, 200)
    assert (sums_of(faulty, tmp_path / "rtl", HALF, a, b) != in_float32(a, b)).any()
