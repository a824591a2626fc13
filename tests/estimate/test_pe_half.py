"""The FP16 processing element against the processor's FP32 adder (IEEE 754); products are exact in FP32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.estimate.reference import Device, Reference
from fpsim.estimate.synth import source_files
from fpsim.kernels.float32_sums import in_order
from fpsim.verify.rtl_files import default_rtl_folder

MODULE = "fpsim_pe_half"
LATENCY = 2  # operand registers, then the register of the sum that the next `first` hands over
WIDTHS = {"a_i": 17, "b_i": 16}
SPECIAL = (0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF)


def bits(values: NDArray[np.int64], width: int) -> NDArray[np.uint8]:
    return (values[:, None] >> np.arange(width) & 1).astype(np.uint8)


def sums_of(rtl: Path, folder: Path, a: NDArray[np.uint16], b: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """FP32 bits of the sums of rows of products, from the RTL; operands uint16 (M, K)."""
    outputs = {"a_o": 17, "b_o": 16, "out_o": 32}
    folder.mkdir()
    reference = Reference(
        {"pe": Device(MODULE, {}, WIDTHS, outputs, clocked=True)}, source_files(rtl, [MODULE]), folder
    )
    m, k = a.shape
    first = np.zeros((m + 1, k), np.int64)
    first[:, 0] = 1  # of a further row, which hands the last sum over
    columns = [np.vstack([x, np.zeros((1, k), np.uint16)]).astype(np.int64).ravel() for x in (a, b)]
    stimulus = np.hstack([bits(first.ravel() << 16 | columns[0], 17), bits(columns[1], 16)])
    found = reference.run({"pe": stimulus})["pe"][:, 33:].astype(np.uint32)
    words = (found << np.arange(32, dtype=np.uint32)).sum(axis=1, dtype=np.uint32)
    handed = np.arange(1, m + 1) * k + LATENCY
    return words[np.minimum(handed, len(words) - 1)]


def operands() -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Rows of every kind of magnitude, of cancellation, and all pairs of special values."""
    random = np.random.default_rng(5)
    anything = random.integers(0, 0x7C00, (2, 400, 24)) | random.integers(0, 2, (2, 400, 24)) << 15
    near = random.standard_normal((2, 200, 24)).astype(np.float16).view(np.uint16)
    a, b = near.copy()
    a[:, 1::2], b[:, 1::2] = a[:, ::2] ^ 0x8000, b[:, ::2]  # sums that cancel to 0, and almost
    b[::2, 1] ^= 1
    pairs = np.array([[x, y] for x in SPECIAL for y in SPECIAL])
    special = [np.resize(pairs[:, side], (len(pairs), 24)) for side in (0, 1)]
    rows = [np.vstack([x, y, z, w]) for x, y, z, w in zip(anything, near, (a, b), special, strict=True)]
    return rows[0].astype(np.uint16), rows[1].astype(np.uint16)


def expected(a: NDArray[np.uint16], b: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """numpy's float32: a product of two FP16 numbers is exact in it, a sum rounds as IEEE 754 says."""
    acc = np.zeros(len(a), np.float32)
    for x, y in zip(a.T, b.T, strict=True):
        acc = acc + x.view(np.float16).astype(np.float32) * y.view(np.float16).astype(np.float32)
    return acc.view(np.uint32)


@pytest.mark.rtl
def test_every_bit_is_ieee_754s(tmp_path: Path) -> None:
    a, b = operands()
    np.testing.assert_array_equal(sums_of(default_rtl_folder(), tmp_path / "rtl", a, b), expected(a, b))


def test_it_is_what_the_half_program_computes() -> None:
    a, b = operands()
    values = [x.view(np.float16).astype(np.float32) for x in (a, b)]
    found = np.array([in_order(x[None], y[:, None])[0, 0] for x, y in zip(*values, strict=True)], np.float32)
    np.testing.assert_array_equal(found.view(np.uint32), expected(a, b))


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("fault", "instead"),
    [
        ("- 50;", "- 49;"),
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
    a, b = operands()
    assert (sums_of(faulty, tmp_path / "rtl", a, b) != expected(a, b)).any()
