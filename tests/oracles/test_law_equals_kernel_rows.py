"""The law and the kernels of the row path: align, hadamard, row_scale, quantizer, on the same rows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsim.arith import align as law_align
from fpsim.arith import hadamard as law_hadamard
from fpsim.arith import quantizer as law_quantizer
from fpsim.arith import row_scale as law_row_scale
from fpsim.kernels.align import align
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.quantizer import amax, quantizer
from fpsim.kernels.row_scale import amplitude, row_scale
from fpsim.kernels.rows import quantize_rows

OPERANDS = ("e2m1", "e3m0", "e1m2", "int4")
ORDERS_OF_12 = (12, 24, 48, 96, 192)
ALL_FP16 = np.arange(1 << 16, dtype=np.uint16)


def random_rows(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """FP16 rows whose exponents lie close together in one third, anywhere finite in another, and anywhere."""
    bits = rng.integers(0, 1 << 16, shape, dtype=np.uint16)
    finite = np.where((bits & 0x7C00) == 0x7C00, bits & 0x83FF, bits)
    base = rng.integers(0, 25, (shape[0], 1))
    close = (bits & 0x83FF) | ((base + rng.integers(0, 6, shape)) << 10).astype(np.uint16)
    kind = np.arange(shape[0])[:, None] % 3
    return np.choose(kind, [close, finite, bits]).astype(np.uint16)


def law_codes(ints: np.ndarray, amp: int, fmt: str) -> list[int]:
    """The law's codes of one row; each distinct integer is quantized once."""
    codes = {h: law_quantizer.quantizer(h, amp, fmt) for h in np.unique(ints).tolist()}
    return [codes[h] for h in ints.tolist()]


def test_align_every_pattern_alone() -> None:
    ints, exps, special = align(ALL_FP16[:, None], 4)
    law = [law_align.align([bits], 4) for bits in ALL_FP16.tolist()]
    assert ints.ravel().tolist() == [row.ints[0] for row in law]
    assert exps.tolist() == [row.exp for row in law]
    assert special.tolist() == [row.special for row in law]
    assert len(law) == 65536


@pytest.mark.parametrize(("guard_bits", "exp"), [(0, 13), (0, 30), (4, 1), (4, 9), (4, 16), (4, 25), (8, 20)])
def test_every_pattern_through_align_and_quantizer_at_a_static_scale(guard_bits: int, exp: int) -> None:
    ints, exps, special = align(ALL_FP16[None, :], guard_bits, exp)
    law = law_align.align(ALL_FP16.tolist(), guard_bits, exp)
    assert (ints[0].tolist(), int(exps[0]), bool(special[0])) == tuple(law)
    for fmt, amp in zip(OPERANDS, (1 << (11 + guard_bits), 0, 1389, 3), strict=True):
        codes = quantizer(ints, np.array([amp], dtype=np.int32), fmt)[0]
        assert codes.tolist() == law_codes(ints[0], amp, fmt), f"{fmt} amp={amp}"
        assert codes.size == 65536


@pytest.mark.parametrize("guard_bits", [0, 3, 4, 8])
def test_dynamic_rows_through_the_whole_path(guard_bits: int) -> None:
    rng = np.random.default_rng(91 + guard_bits)
    x = random_rows(rng, (90, 64))
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), 64)
    ints, exps, special = align(x, guard_bits)
    rotated = hadamard_blocks(ints, 32, signs)
    amps = amplitude(amax(rotated))
    scales = row_scale(amps, exps, guard_bits)
    coded = {fmt: quantizer(rotated, amps, fmt) for fmt in OPERANDS}
    for r, row in enumerate(x.tolist()):
        law = law_align.align(row, guard_bits)
        assert (ints[r].tolist(), int(exps[r]), bool(special[r])) == tuple(law), f"row {r}"
        law_rotated = [
            h
            for k in (0, 32)
            for h in law_hadamard.hadamard(law.ints[k : k + 32], signs[k : k + 32].tolist())
        ]
        assert rotated[r].tolist() == law_rotated, f"row {r}"
        amp = law_row_scale.amplitude(max(map(abs, law_rotated)))
        assert amps[r] == amp, f"row {r}"
        assert scales[r] == law_row_scale.row_scale(amp, law.exp, guard_bits), f"row {r}"
        for fmt, codes in coded.items():
            law_row = [law_quantizer.quantizer(h, amp, fmt) for h in law_rotated]
            assert codes[r].tolist() == law_row, f"row {r} {fmt}"
    assert special.any()
    assert not special.all()


@pytest.mark.parametrize("n", [1, 2, 4, 8, 16, 32, 64, 128, *ORDERS_OF_12])
def test_hadamard(n: int) -> None:
    rng = np.random.default_rng(n)
    ints = rng.integers(-(1 << 19), 1 << 19, (3, 2 * n), dtype=np.int32)
    ints[0] = (1 << 19) - 1
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), 2 * n)
    for s in (None, signs):
        kernel = hadamard_blocks(ints, n, s)
        for r, row in enumerate(ints.tolist()):
            for k in (0, n):
                block_signs = None if s is None else s[k : k + n].tolist()
                law = law_hadamard.hadamard(row[k : k + n], block_signs)
                assert kernel[r, k : k + n].tolist() == law, f"row {r} block at {k}"


@pytest.mark.parametrize("n", [2, 32, 128, *ORDERS_OF_12])
def test_hadamard_of_unit_vectors_is_the_matrix(n: int) -> None:
    kernel = hadamard_blocks(np.eye(n, dtype=np.int32), n)  # row j is column j of H
    assert kernel.T.tolist() == law_hadamard.hadamard_matrix(n)


def test_amplitude() -> None:
    rng = np.random.default_rng(92)
    wide = (2 ** rng.uniform(15, 30, 20_000)).astype(np.int64)
    powers = (1 << np.arange(31, dtype=np.int64))[:, None] + np.arange(-3, 4)
    halves = ((2 * rng.integers(1 << 10, 1 << 11, 3000) + 1) << rng.integers(0, 18, 3000)).astype(np.int64)
    values = np.concatenate([np.arange(1 << 16), wide, powers.ravel(), halves])
    values = values[(values >= 0) & (values <= 1 << 30)]
    assert amplitude(values).tolist() == [law_row_scale.amplitude(v) for v in values.tolist()]
    assert values.size > 85_000


@pytest.mark.parametrize("guard_bits", [0, 4, 8])
def test_row_scale(guard_bits: int) -> None:
    rng = np.random.default_rng(93)
    amps = amplitude(
        np.concatenate([np.arange(40), (2 ** rng.uniform(0, 30, 200)).astype(np.int64), [1 << 30]])
    )
    for exp in range(1, 32):
        law = [law_row_scale.row_scale(amp, exp, guard_bits) for amp in amps.tolist()]
        assert row_scale(amps, exp, guard_bits).tolist() == law, f"exp={exp}"


@pytest.mark.parametrize("fmt", OPERANDS)
def test_quantizer_small_amplitudes_exhaustively(fmt: str) -> None:
    amps = np.arange(65, dtype=np.int32)
    h = np.arange(-80, 81, dtype=np.int32)
    kernel = quantizer(np.tile(h, (65, 1)), amps, fmt)
    assert kernel.tolist() == [[law_quantizer.quantizer(v, a, fmt) for v in h.tolist()] for a in range(65)]
    assert kernel.size == 65 * 161


@pytest.mark.parametrize("fmt", OPERANDS)
def test_quantizer_at_every_threshold(fmt: str) -> None:
    # Each threshold lies at (l_i + l_(i+1)) · A / (2 · l_7); the integers around it, for wide amplitudes.
    rng = np.random.default_rng(94)
    levels = [law_quantizer.decode(code, fmt).value for code in range(8)]
    amps = np.concatenate(
        [rng.integers(1 << 10, 1 << 11, 300) << rng.integers(0, 19, 300), [1 << 29, 3 << 25]]
    )
    sums = np.array([low + high for low, high in itertools.pairwise(levels)])
    middle = (sums[None, :] * amps[:, None]) // (2 * levels[7])
    h = (middle[:, :, None] + np.arange(-1, 3)).reshape(amps.size, -1).astype(np.int32)
    h = np.concatenate([h, -h, amps[:, None], -2 * amps[:, None]], axis=1).astype(np.int32)
    kernel = quantizer(h, amps.astype(np.int32), fmt)
    for r, row in enumerate(h.tolist()):
        law = [law_quantizer.quantizer(v, int(amps[r]), fmt) for v in row]
        assert kernel[r].tolist() == law, f"amp={amps[r]}"
    assert kernel.size == 302 * 58


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    row=st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=16),
    guard_bits=st.integers(0, 8),
    exp=st.none() | st.integers(1, 30),
    amp=st.none() | st.integers(0, 2047),
    fmt=st.sampled_from(OPERANDS),
)
def test_any_row(row: list[int], guard_bits: int, exp: int | None, amp: int | None, fmt: str) -> None:
    law = law_align.align(row, guard_bits, exp)
    ints, exps, special = align(np.array([row], dtype=np.uint16), guard_bits, exp)
    assert (ints[0].tolist(), int(exps[0]), bool(special[0])) == tuple(law)
    amplitude_ = law_row_scale.amplitude(max(map(abs, law.ints))) if amp is None else amp
    codes = quantizer(ints, np.array([amplitude_], dtype=np.int32), fmt)
    assert codes[0].tolist() == [law_quantizer.quantizer(h, amplitude_, fmt) for h in law.ints]


@pytest.mark.parametrize("setting", ["1", "0"])
@pytest.mark.parametrize(("fmt", "n", "length", "rows"), [
    ("e2m1", 32, 96, 40), ("int4", 32, 32, 40), ("e1m2", 96, 96, 12), ("e3m0", 64, 64, 12),
    ("int4", 1152, 1152, 3), ("e2m1", 1152, 1152, 3),
])  # fmt: skip
def test_the_whole_path_at_once(
    fmt: str, n: int, length: int, rows: int, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From FP16 to codes by the law alone, with the vector instructions and without."""
    monkeypatch.setenv("FPSIM_AVX512", setting)
    rng = np.random.default_rng(n + rows)
    x = random_rows(rng, (rows, length))
    signs = rng.choice(np.array([-1, 1], dtype=np.int8), length)
    codes, scales, special = quantize_rows(x, guard_bits=4, hadamard_n=n, signs=signs, fmt=fmt)
    for r, row in enumerate(x.tolist()):
        law = law_align.align(row, 4)
        rotated = [
            h
            for k in range(0, length, n)
            for h in law_hadamard.hadamard(law.ints[k : k + n], signs[k : k + n].tolist())
        ]
        amp = law_row_scale.amplitude(max(map(abs, rotated)))
        assert codes[r].tolist() == law_codes(np.array(rotated), amp, fmt), f"row {r}"
        assert scales[r] == law_row_scale.row_scale(amp, law.exp, 4), f"row {r}"
        assert special[r] == law.special, f"row {r}"
