"""Matrix products of codes under a stated accumulator."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.formats import Accumulator, Format, get, get_accumulator
from fpsim.kernels import _check
from fpsim.kernels.aligned import aligned
from fpsim.kernels.exact_plus_c import exact_plus_c
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.operands import Side, side, to_float32, widen
from fpsim.kernels.rounded import add_arrays, target_of
from fpsim.kernels.sequential import sequential
from fpsim.kernels.stochastic import random_count, random_values, stochastic
from fpsim.kernels.tree import tree

QUIET_NAN = 0x7FC00000
TENSOR_CORE_NAN = 0x7FFFFFFF
_FLOAT64_EXACT = 1 << 53
_KERNELS = {"sequential": sequential, "tree": tree}


def matmul(
    a: NDArray[Any],
    b: NDArray[Any],
    *,
    a_fmt: str | Format,
    b_fmt: str | Format,
    acc: Accumulator | str,
    a_scale: NDArray[np.uint8] | None = None,
    b_scale: NDArray[np.uint8] | None = None,
    c: NDArray[np.float32] | None = None,
    random_bits: tuple[NDArray[Any], int] | None = None,
) -> NDArray[Any]:
    """out[m, n] = c[m, n] + sum over k of a[m, k] · b[n, k], times the blocks' scales, added as acc says.

    Args:
        a: (M, K) codes, one per element: uint8, for formats of 9 to 16 bits uint16, for tf32 uint32.
        b: (N, K) codes: row n holds the weights of output n.
        a_fmt, b_fmt: a Format or its name; they may differ. exact: formats without NaN and Inf, at most 8
            bits, such as e2m1, e3m0, e1m2, e2m3, e3m2, int4, int8. The other kinds: any float or integer
            format of at most 19 bits.
        acc: an Accumulator, or the name of a preset (`fpsim.formats.PRESETS`).
        a_scale, b_scale: (M, ceil(K / acc.block)) and (N, ceil(K / acc.block)) uint8 codes of acc.scale,
        where
            acc is block-scaled; a last block may be shorter.
        c: (M, N) float32, rounded to acc.fmt first, but numbers of acc.fmt where acc rounds stochastically;
            None: +0.
        random_bits: for acc.rounding "stochastic" alone: ((M, N, acc.roundings(K)) unsigned or int64 array in
            the order that `Accumulator.roundings` states; n, the number of bits in each, 1 to 32, and at most
            50 − acc.fmt.man_bits). A magnitude goes up where the top n bits of what is dropped plus the
            random bits reach 2^n, as in `encode`. Large products are taken in tiles of outputs: no output
            sees the bits of another.

    Returns:
        (M, N). exact without c: int64 in units of the product of the two formats' smallest steps (E2M1 times
        E2M1: quarters). Else float32: acc.fmt's values; exact with c: the register plus c, one rounding to
        nearest even. A NaN is 0x7FC00000, under an aligned acc with C inside 0x7FFFFFFF.

    Raises:
        ValueError: another dtype, shape, format or accumulator, or a code out of the format's range; NaN or
            infinity, where acc.fmt has none; a format whose scale is not a power of two (or 1, where acc is
            aligned), unless acc is exact: take `a_fmt.scaled(1)`, and multiply the result by the scale.

    Example:
        >>> import numpy as np
        >>> from fpsim.formats import Accumulator
        >>> three = np.array([[5, 5]], np.uint8)  # two E2M1 codes of value 3
        >>> matmul(three, three, a_fmt="e2m1", b_fmt="e2m1", acc=Accumulator.exact())
        array([[72]])
        >>> matmul(three, three, a_fmt="e2m1", b_fmt="e2m1", acc=Accumulator.sequential("fp16"))
        array([[18.]], dtype=float32)
    """
    how = get_accumulator(acc)
    left, right = get(a_fmt), get(b_fmt)
    if how.kind != "exact":
        sides = side("a", a, left, a_scale, how), side("b", b, right, b_scale, how)
        return _rounded(*sides, c, how, random_bits)
    if random_bits is not None:
        raise ValueError("random_bits: expected None, since an exact accumulator rounds nothing")
    for name, scale in (("a_scale", a_scale), ("b_scale", b_scale)):
        if scale is not None:
            raise ValueError(f"{name}: expected None, since an exact accumulator has no block scales")
    sums = mac_array(a, b, left, right, how.bits, how.overflow)
    return sums if c is None else _plus_c(sums, left.step * right.step, c)


def _rounded(a: Side, b: Side, c: Any, acc: Accumulator, random_bits: Any) -> NDArray[np.float32]:
    """The kinds that round."""
    depth = a.codes.shape[1]
    if b.codes.shape[1] != depth:
        raise ValueError(f"b.shape={b.codes.shape}: expected (N, {depth}), the K of a")
    assert acc.fmt is not None
    for name, operand in (("a", a), ("b", b)):
        if not acc.fmt.has_inf and not operand.finite():
            raise ValueError(f"{name} holds NaN or an infinity: expected finite numbers for {acc.fmt.name}")
    inside = acc.kind == "aligned" and acc.c_inside
    random = random_values(random_bits, (a.codes.shape[0], b.codes.shape[0]), depth, acc)
    with np.errstate(all="ignore"):  # NaN and infinities are results, not faults
        if inside:
            values = aligned(a, b, c, acc)
        elif acc.kind not in _KERNELS:
            values = exact_plus_c(a, b, c, acc, random, random_count(random_bits, acc))
        elif acc.rounding == "stochastic":
            values = stochastic(a, b, c, acc, random, random_count(random_bits, acc))
        else:
            values = _KERNELS[acc.kind](a, b, c, acc)
    return to_float32(values, TENSOR_CORE_NAN if inside else QUIET_NAN)


def _plus_c(sums: NDArray[np.int64], unit: Fraction, c: Any) -> NDArray[np.float32]:
    """sums · unit + c, rounded once to float32, nearest even."""
    checked = _check.array("c", c, "float32", 2)
    if checked.shape != sums.shape:
        raise ValueError(f"c.shape={checked.shape}: expected {sums.shape}")
    target = target_of(Accumulator.exact_plus_c("fp32", overflow="ieee"))
    starts = np.empty(sums.shape, np.float64)
    widen(checked.reshape(-1).view(np.uint32), starts.reshape(-1))
    # A scaled format's unit may have many bits; the exact path is for it and for sums beyond 2^53.
    simple = unit.numerator & (unit.numerator - 1) == 0
    exact_in_float64 = (np.abs(sums) <= _FLOAT64_EXACT) & simple
    scaled = np.where(exact_in_float64, sums, 0) * float(unit)
    out = np.empty(sums.shape, np.float64)
    with np.errstate(invalid="ignore"):
        add_arrays(starts.reshape(-1), scaled.reshape(-1), target, out.reshape(-1))
    for m, n in np.argwhere(~exact_in_float64):
        if np.isfinite(starts[m, n]):
            exact = int(sums[m, n]) * unit + Fraction(float(starts[m, n]))
            out[m, n] = _round_fraction(exact)
    return to_float32(out, QUIET_NAN)


def _round_fraction(x: Fraction) -> float:
    """A fraction to float32, nearest even, overflow to infinity, as float64."""
    odd = float(x)  # Python rounds a fraction to the nearest float64; one step makes that odd
    if Fraction(odd) != x and not np.float64(odd).view(np.int64) & 1:
        odd = float(np.nextafter(odd, np.inf if x > Fraction(odd) else -np.inf))
    with np.errstate(over="ignore"):
        return float(np.float32(odd))
