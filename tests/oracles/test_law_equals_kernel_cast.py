"""The law and the kernel of casting, on every FP16 and every BF16 number."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fpsim.arith.cast import encode as law_encode
from fpsim.formats import FORMATS, get
from fpsim.kernels.cast import decode, encode
from tests.kernels.reference import boundaries, finite_values, held_by, neighbours

SMALL = [name for name, form in FORMATS.items() if form.bits <= 8]
ROUNDINGS = ("rne", "rna", "rtz", "rup", "rdn")
SOURCES = ("fp16", "bf16")


@cache
def patterns(source: str) -> tuple[np.ndarray, list[tuple[Fraction | str, bool]]]:
    """Every number of a 16-bit source: floats for the kernel; exact value and "is −0" for the law.

    One NaN, positive, is kept: the law's NaN has no sign and no payload.
    """
    bits = np.arange(1 << 16, dtype=np.uint16)
    form = get(source)
    values = [form.value(code) for code in bits.tolist()]
    first_nan = values.index("nan")
    kept = [code for code, value in enumerate(values) if value != "nan" or code == first_nan]
    quiet = form.max_magnitude_code + 1 + (1 << (form.man_bits - 1))
    numbers = bits[[quiet if code == first_nan else code for code in kept]]
    if source == "fp16":
        floats = numbers.view(np.float16)
    else:
        floats = (numbers.astype(np.uint32) << 16).view(np.float32)
    return floats, [(values[code], values[code] == 0 and code != 0) for code in kept]


def law(number: tuple[Fraction | str, bool], fmt: str, **options: Any) -> int:
    value, minus_zero = number
    return law_encode(value, fmt, negative_zero=minus_zero, **options)


def nan_policy(fmt: str) -> str:
    return "torchao" if fmt == "e2m1" else "error"


def without_nan(source: str, fmt: str) -> tuple[np.ndarray, list[tuple[Fraction | str, bool]]]:
    """The patterns, without NaN where the format refuses it."""
    floats, numbers = patterns(source)
    if get(fmt).has_nan or fmt == "e2m1":
        return floats, numbers
    return floats[~np.isnan(floats)], [number for number in numbers if number[0] != "nan"]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("fmt", SMALL)
def test_every_number_to_nearest_even(fmt: str, source: str) -> None:
    floats, numbers = without_nan(source, fmt)
    kernel = encode(floats, fmt, nan=nan_policy(fmt)).tolist()  # type: ignore[arg-type]
    for code, number in zip(kernel, numbers, strict=True):
        assert code == law(number, fmt, nan=nan_policy(fmt)), f"{number}"
    assert len(kernel) >= {"fp16": 63490, "bf16": 65282}[source]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("tie", ["torch", "code_even"])
def test_every_number_to_e3m0_under_both_tie_rules(tie: Any, source: str) -> None:
    floats, numbers = without_nan(source, "e3m0")
    kernel = encode(floats, "e3m0", e3m0_tie=tie).tolist()
    assert kernel == [law(number, "e3m0", e3m0_tie=tie) for number in numbers]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("fmt", SMALL)
def test_every_rounding_on_a_seeded_subset(fmt: str, source: str) -> None:
    floats, numbers = without_nan(source, fmt)
    rng = np.random.default_rng(110)
    near = np.flatnonzero(np.abs(np.nan_to_num(floats.astype(np.float64))) <= 4 * float(get(fmt).max_value))
    chosen = np.concatenate([rng.choice(near, 1500), rng.choice(len(numbers), 500)])
    cases = 0
    for rounding in ROUNDINGS:
        options: dict[str, Any] = {"rounding": rounding, "nan": nan_policy(fmt)}
        overflows = ("saturate", "inf") if get(fmt).has_inf else ("saturate",)
        for overflow in overflows:
            kernel = encode(floats[chosen], fmt, overflow=overflow, **options).tolist()  # type: ignore[arg-type]
            for code, i in zip(kernel, chosen.tolist(), strict=True):
                assert code == law(numbers[i], fmt, overflow=overflow, **options), f"{numbers[i]} {rounding}"
                cases += 1
    assert cases in (5 * 2000, 10 * 2000)


@pytest.mark.parametrize("fmt", SMALL)
def test_every_rounding_on_every_float32_next_to_a_boundary(fmt: str) -> None:
    x = neighbours(held_by(boundaries(get(fmt)), np.float32), np.float32)
    x = x[np.isfinite(x)]
    numbers = [(Fraction(value), value == 0 and bool(np.signbit(value))) for value in x.tolist()]
    cases = 0
    for rounding in ROUNDINGS:
        kernel = encode(x, fmt, rounding=rounding).tolist()  # type: ignore[arg-type]
        for code, number in zip(kernel, numbers, strict=True):
            assert code == law(number, fmt, rounding=rounding), f"{number} {rounding}"
            cases += 1
    finite = len(finite_values(get(fmt)))
    assert cases == 5 * (6 * (2 * finite + 2) - (6 if fmt == "e8m0" else 0))


@pytest.mark.parametrize("fmt", [*SMALL, "fp16", "bf16", "tf32"])
def test_stochastic_rounding(fmt: str) -> None:
    rng = np.random.default_rng(111)
    form = get(fmt)
    top = float(form.max_value) * 1.2 if form.exp_bits < 8 else float(form.max_value)
    x = np.concatenate([rng.uniform(-top, top, 1500), float(form.step) * rng.uniform(-20, 20, 500)])
    for nbits in (1, 5, 16, 32):
        draws = rng.integers(0, 1 << nbits, x.size)
        kernel = encode(x, fmt, rounding="stochastic", random_bits=(draws, nbits)).tolist()
        for code, value, draw in zip(kernel, x.tolist(), draws.tolist(), strict=True):
            expected = law_encode(Fraction(value), fmt, rounding="stochastic", random_bits=(draw, nbits))
            assert code == expected, f"x={value!r} random_bits=({draw}, {nbits})"


@pytest.mark.parametrize("fmt", list(FORMATS))
def test_float64_to_any_format(fmt: str) -> None:
    rng = np.random.default_rng(112)
    form = get(fmt)
    exponents = rng.integers(-20, 20, 3000) + int(np.log2(float(form.step)))
    wide = rng.integers(-170, 140, 1000)
    x = rng.choice([-1.0, 1.0], 4000) * np.ldexp(1 + rng.random(4000), np.concatenate([exponents, wide]))
    x[::3] = np.ldexp(np.rint(np.ldexp(np.frexp(x[::3])[0], 12)), np.frexp(x[::3])[1] - 12)  # ties
    kernel = encode(x, fmt).tolist()
    for code, value in zip(kernel, x.tolist(), strict=True):
        assert code == law_encode(Fraction(value), fmt), f"x={value!r}"


@settings(max_examples=1500, deadline=None, derandomize=True)
@given(
    fmt=st.sampled_from(list(FORMATS)),
    code=st.integers(0, (1 << 32) - 1),
    numerator=st.integers(0, 16),
    nudge=st.sampled_from([-1, 0, 1]),
    negative=st.booleans(),
    rounding=st.sampled_from(ROUNDINGS),
    tie=st.sampled_from(["torch", "code_even", None]),
)
def test_points_between_neighbours(
    fmt: str, code: int, numerator: int, nudge: int, negative: bool, rounding: Any, tie: Any
) -> None:
    # Sixteenths of the gap between two neighbouring values (8 is the tie) and the float64 beside them.
    form = get(fmt)
    code %= form.max_magnitude_code
    low, high = form.value(code), form.value(code + 1)
    assert isinstance(low, Fraction)
    assert isinstance(high, Fraction)
    x = float(low + (high - low) * Fraction(numerator, 16)) * (-1 if negative else 1)
    if nudge:
        x = float(np.nextafter(x, nudge * np.inf))
    if tie == "torch" and (fmt != "e3m0" or rounding != "rne"):
        tie = None
    kernel = int(encode(np.array([x]), fmt, rounding=rounding, e3m0_tie=tie)[0])
    minus_zero = x == 0 and bool(np.signbit(x))
    law_code = law_encode(Fraction(x), fmt, rounding=rounding, e3m0_tie=tie, negative_zero=minus_zero)
    assert kernel == law_code, f"x={x!r}"


@pytest.mark.parametrize("fmt", [*SMALL, "fp16", "bf16"])
def test_every_code_decodes_to_its_value(fmt: str) -> None:
    form = get(fmt)
    codes = np.arange(form.n_codes, dtype=np.uint8 if form.bits <= 8 else np.uint16)
    for code, value in enumerate(decode(codes, fmt).tolist()):
        expected = form.value(code)
        if isinstance(expected, str):
            assert np.isnan(value) if expected == "nan" else value == float(expected), f"code {code}"
        else:
            assert Fraction(value) == expected, f"code {code}"


@pytest.mark.parametrize("policy", ["ml_dtypes", "torchao", "transformer-engine", "modelopt"])
def test_nan_policies(policy: Any) -> None:
    kernel = encode(np.array([np.nan], dtype=np.float32), "e2m1", nan=policy)[0]
    assert kernel == law_encode("nan", "e2m1", nan=policy)


@pytest.mark.parametrize("fmt", list(FORMATS))
def test_both_refuse_the_same_numbers(fmt: str) -> None:
    form = get(fmt)
    largest = float(form.max_value)
    candidates = [
        largest,
        largest * 1.01,
        largest * 1.03,
        largest * 1.1,
        largest * 1.2,
        np.inf,
        np.nan,
        0.0,
        1e-40,
    ]
    refused = 0
    for x in candidates + [-x for x in candidates if not np.isnan(x)]:
        if x == 0 and np.signbit(x):
            continue
        value: Any = {np.inf: "+inf", -np.inf: "-inf"}.get(x) or ("nan" if np.isnan(x) else Fraction(x))
        outcomes = []
        for run in (
            lambda x=x: int(encode(np.array([x]), fmt, overflow="error")[0]),
            lambda v=value: law_encode(v, fmt, overflow="error"),
        ):
            try:
                outcomes.append(run())
            except ValueError:
                outcomes.append("refused")
        assert outcomes[0] == outcomes[1], f"x={x!r}: kernel {outcomes[0]}, law {outcomes[1]}"
        refused += outcomes[0] == "refused"
    assert refused >= 2


@settings(max_examples=600, deadline=None, derandomize=True)
@given(
    fmt=st.sampled_from([name for name in SMALL if name != "e8m0"]),
    scale=st.floats(2.0**-20, 2.0**20),
    code=st.integers(0, 255),
    sixteenths=st.integers(0, 16),
    nudge=st.sampled_from([-1, 0, 1]),
    negative=st.booleans(),
    rounding=st.sampled_from([*ROUNDINGS, "stochastic"]),
    random=st.integers(0, (1 << 32) - 1),
    nbits=st.sampled_from([1, 7, 24, 32]),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_scaled_formats(
    fmt: str,
    scale: float,
    code: int,
    sixteenths: int,
    nudge: int,
    negative: bool,
    rounding: Any,
    random: int,
    nbits: int,
    dtype: Any,
) -> None:
    form = get(fmt).scaled(scale)
    code %= form.max_magnitude_code
    low, high = form.value(code), form.value(code + 1)
    assert isinstance(low, Fraction)
    assert isinstance(high, Fraction)
    x = dtype(float(low + (high - low) * Fraction(sixteenths, 16)) * (-1 if negative else 1))
    if nudge:
        x = np.nextafter(x, dtype(nudge * np.inf))
    options: dict[str, Any] = {"rounding": rounding}
    draw = random % (1 << nbits)
    bits = (np.array([draw]), nbits) if rounding == "stochastic" else None
    kernel = int(encode(np.array([x]), form, random_bits=bits, **options)[0])
    law_bits = (draw, nbits) if rounding == "stochastic" else None
    minus_zero = bool(x == 0 and np.signbit(x))
    expected = law_encode(Fraction(float(x)), form, random_bits=law_bits, negative_zero=minus_zero, **options)
    assert kernel == expected, f"x={x!r} scale={form.scale}"
