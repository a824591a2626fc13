"""The law, the kernel and numpy's float16 on the epilogue: corners, cancellation, ties, subnormal results."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsim.arith import mac_array as law_mac_array
from fpsim.arith.epilogue import epilogue as law_epilogue
from fpsim.formats import get
from fpsim.kernels.epilogue import epilogue
from fpsim.kernels.linear import linear
from fpsim.kernels.prepared import Prepared

FP16 = get("fp16")
MAX_ACC = 1 << 40  # the kernel's limit


def tf32(exponent: int, significand: int = 0) -> int:
    """TF32 bits of (1 + significand / 1024) · 2^(exponent − 127)."""
    return exponent << 10 | significand


def one(acc: int, rho: int, c: int, bias: int) -> int:
    """The kernel on a single element."""
    out = epilogue(
        np.array([[acc]], dtype=np.int64),
        np.array([rho], dtype=np.uint32),
        np.array([c], dtype=np.uint32),
        np.array([bias], dtype=np.uint16),
    )
    return int(out[0, 0])


def report(acc: int, rho: int, c: int, bias: int) -> str:
    return f"acc={acc} row_scale=0x{rho:05x} col_scale=0x{c:05x} bias=0x{bias:04x}"


def assert_equal_on_sample(
    acc: np.ndarray, rho: np.ndarray, c: np.ndarray, bias: np.ndarray, rng: np.random.Generator, size: int
) -> None:
    """The whole matrix by the kernel, `size` seeded elements of it by the law."""
    kernel = epilogue(acc, rho, c, bias)
    indices = rng.choice(acc.size, min(size, acc.size), replace=False)
    for m, n in zip(*(i.tolist() for i in np.unravel_index(indices, acc.shape)), strict=True):
        args = int(acc[m, n]), int(rho[m]), int(c[n]), int(bias[n])
        assert kernel[m, n] == law_epilogue(*args), report(*args)


def test_corners_of_every_operand() -> None:
    accs = [0, 1, 2, 3, 2047, 2049, 65519, 65520, (1 << 25) - 1, 1 << 25, (1 << 39) - 1, MAX_ACC]
    accs += [-a for a in accs[1:]]
    rhos = [0] + [tf32(e, s) for e in (1, 2, 64, 102, 112, 126, 127, 128, 253, 254) for s in (0, 1, 1023)]
    cs = [tf32(e, s) for e in (1, 64, 103, 115, 126, 127, 190, 254) for s in (0, 1, 512, 1023)]
    biases = [0, 0x8000, 1, 0x8001, 0x3FF, 0x400, 0x83FF, 0x3C00, 0xBC01, 0x7BFF, 0xFBFF]
    columns = [(c, b) for c in cs for b in biases]
    col_scale, bias = np.array(columns, dtype=np.uint32).T
    rows = [(a, rho) for a in accs for rho in rhos]
    acc = np.repeat(np.array([[a] for a, _ in rows], dtype=np.int64), len(columns), axis=1)
    row_scale = np.array([rho for _, rho in rows], dtype=np.uint32)
    assert acc.size == 23 * 31 * 32 * 11
    rng = np.random.default_rng(100)
    assert_equal_on_sample(acc, row_scale, col_scale, bias.astype(np.uint16), rng, 50_000)


def test_random_operands_with_results_in_range() -> None:
    rng = np.random.default_rng(101)
    rows, cols = 1000, 1000
    acc = rng.integers(-(1 << 25), 1 << 25, (rows, cols)) >> rng.integers(0, 24, (rows, cols))
    rho = (rng.integers(90, 140, rows) << 10 | rng.integers(0, 1024, rows)).astype(np.uint32)
    c = (rng.integers(90, 140, cols) << 10 | rng.integers(0, 1024, cols)).astype(np.uint32)
    bias = (rng.integers(0, 0x7C00, cols) | rng.integers(0, 2, cols) << 15).astype(np.uint16)
    assert_equal_on_sample(acc, rho, c, bias, rng, 60_000)


def test_millions_are_numpys_where_float64_is_exact() -> None:
    rng = np.random.default_rng(102)
    cases = 0
    for _ in range(4):
        rows, cols = 1000, 1000
        acc = rng.integers(-(1 << 25), 1 << 25, (rows, cols)) >> rng.integers(0, 24, (rows, cols))
        rho = (rng.integers(100, 130, rows) << 10 | rng.integers(0, 1024, rows)).astype(np.uint32)
        c = (rng.integers(100, 130, cols) << 10 | rng.integers(0, 1024, cols)).astype(np.uint32)
        bias = (rng.integers(0, 0x7C00, cols) | rng.integers(0, 2, cols) << 15).astype(np.uint16)
        scales = [(bits << 13).astype(np.uint32).view(np.float32).astype(np.float64) for bits in (rho, c)]
        product = acc * scales[0][:, None] * scales[1]  # 25 + 11 + 11 bits: exact
        b = np.broadcast_to(bias.view(np.float16).astype(np.float64), product.shape)
        total = product + b
        virtual = total - product  # Knuth's two-sum: the error of `total`, exactly
        error = (product - (total - virtual)) + (b - virtual)
        exact = (error == 0) & (total != 0)
        with np.errstate(over="ignore"):
            expected = np.clip(total.astype(np.float16), np.float16(-65504), np.float16(65504)).view(
                np.uint16
            )
        wrong = exact & (epilogue(acc, rho, c, bias) != expected)
        assert not wrong.any(), f"first of {wrong.sum()} at {np.argwhere(wrong)[0]}"
        cases += int(exact.sum())
    assert cases > 2_000_000


finite_fp16 = st.builds(lambda sign, code: sign << 15 | code, st.integers(0, 1), st.integers(0, 0x7BFF))
tf32_normal = st.builds(tf32, st.integers(1, 254), st.integers(0, 1023))


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(
    acc=st.integers(-MAX_ACC, MAX_ACC) | st.integers(-4096, 4096),
    rho=st.just(0) | tf32_normal,
    c=tf32_normal,
    bias=finite_fp16,
)
def test_any_operands(acc: int, rho: int, c: int, bias: int) -> None:
    assert one(acc, rho, c, bias) == law_epilogue(acc, rho, c, bias)


@settings(max_examples=2500, deadline=None, derandomize=True)
@given(
    target=st.integers(0, 0x7FF) | st.integers(0, 0x5BFF),
    position=st.sampled_from([0, 1, 2, 3]),  # quarters of the gap above the target: 2 is the tie
    nudge=st.sampled_from([-1, 0, 1]),  # in units of the accumulator: a sticky bit
    fraction_bits=st.integers(26, 30),
    exponent=st.integers(40, 200),
    bias=finite_fp16,
    negative=st.booleans(),
)
def test_sums_near_a_chosen_point_by_cancellation(
    target: int, position: int, nudge: int, fraction_bits: int, exponent: int, bias: int, negative: bool
) -> None:
    # The accumulator counts units of 2^-fraction_bits, split into any two powers of two, and is chosen so
    # that product + bias lies at the target, a quarter, half or three quarters above it, or a hair off.
    low, high, b = (FP16.value(code) for code in (target, target + 1, bias))
    assert isinstance(low, Fraction)
    assert isinstance(high, Fraction)
    assert isinstance(b, Fraction)
    wanted = low + (high - low) * Fraction(position, 4)
    acc = int(((-wanted if negative else wanted) - b) * 2**fraction_bits) + nudge
    if abs(acc) > MAX_ACC:
        acc >>= acc.bit_length() - 40
    rho, c = tf32(exponent), tf32(254 - fraction_bits - exponent)
    assert one(acc, rho, c, bias) == law_epilogue(acc, rho, c, bias), report(acc, rho, c, bias)


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(
    bias=finite_fp16.filter(lambda bits: bits & 0x7FFF != 0),
    significands=st.tuples(st.integers(0, 1023), st.integers(0, 1023)),
    exponent=st.integers(20, 230),
    acc_bits=st.integers(1, 38),
    nudge=st.integers(-3, 3),
)
def test_products_that_almost_cancel_the_bias(
    bias: int, significands: tuple[int, int], exponent: int, acc_bits: int, nudge: int
) -> None:
    # Scales with full significands and an accumulator of acc_bits bits that brings the product next to −bias.
    b = FP16.value(bias)
    assert isinstance(b, Fraction)
    magnitude_exponent = b.numerator.bit_length() - b.denominator.bit_length()
    other = 254 - exponent + magnitude_exponent - acc_bits
    if not 1 <= other <= 254:
        other, exponent = 254 - 127 + magnitude_exponent - acc_bits, 127
    rho, c = tf32(exponent, significands[0]), tf32(other, significands[1])
    rho_value, c_value = get("tf32").value(rho), get("tf32").value(c)
    assert isinstance(rho_value, Fraction)
    assert isinstance(c_value, Fraction)
    acc = round(-b / (rho_value * c_value)) + nudge
    assert abs(acc) <= MAX_ACC
    assert one(acc, rho, c, bias) == law_epilogue(acc, rho, c, bias), report(acc, rho, c, bias)


@pytest.mark.parametrize("e_sum", range(228, 262))
def test_every_result_binade_with_ties(e_sum: int) -> None:
    # acc · 2^(e_sum − 254): all accumulators of 13 bits cover ties of every subnormal and normal position.
    acc = np.arange(-(1 << 13), 1 << 13, 5, dtype=np.int64)[None, :]
    c = np.full(acc.size, tf32(127), dtype=np.uint32)
    bias = np.zeros(acc.size, dtype=np.uint16)
    rho = np.array([tf32(e_sum - 127)], dtype=np.uint32)
    kernel = epilogue(acc, rho, c, bias)[0]
    assert kernel.tolist() == [law_epilogue(a, int(rho[0]), tf32(127), 0) for a in acc[0].tolist()]


@pytest.mark.parametrize("setting", ["1", "0"])
@pytest.mark.parametrize("fields", [(105, 135), (1, 255), (118, 124)])
@pytest.mark.parametrize("bits", [9, 26])
def test_products_straight_to_fp16(
    bits: int, fields: tuple[int, int], setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law's sums and epilogue against one pass over prepared operands."""
    monkeypatch.setenv("FPSIM_AVX512", setting)
    rng = np.random.default_rng([103, bits, *fields])
    rows, cols, depth = 19, 53, 70
    a, b = (rng.integers(0, 16, (count, depth), dtype=np.uint8) for count in (rows, cols))
    rho, c = (
        (rng.integers(*fields, count) << 10 | rng.integers(0, 1024, count)).astype(np.uint32)
        for count in (rows, cols)
    )
    rho[3] = 0
    bias = (rng.integers(0, 0x7C00, cols) | rng.integers(0, 2, cols) << 15).astype(np.uint16)
    bias[::5] = 0x8000
    got = linear(Prepared(a, "e3m0"), Prepared(b, "e2m1"), bits, rho, c, bias)
    sums = law_mac_array.mac_array(a.tolist(), b.tolist(), "e3m0", "e2m1", bits)
    for m, row in enumerate(sums):
        for n, acc in enumerate(row):
            args = acc, int(rho[m]), int(c[n]), int(bias[n])
            assert got[m, n] == law_epilogue(*args), report(*args)
