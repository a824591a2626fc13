"""A rotated integer to an operand code: seven comparisons, no division."""

from __future__ import annotations

from functools import cache

from fpsim.arith.checks import check_int
from fpsim.arith.decode import decode, operand_format
from fpsim.formats import Format

_INDICES = 8  # Magnitude indices 0 to 7 in every operand format; int4 leaves −8 out.


def quantizer(h: int, amp: int, fmt: str | Format) -> int:
    """Quantize one integer against an amplitude (rtl/README.md, "quantizer").

    Args:
        h: any integer, in units of the aligned row.
        amp: the amplitude A, at least 0, in the same units; it maps to the format's largest level.
        fmt: e2m1, e3m0, e1m2 or int4.

    Returns:
        The code, 0 to 15. With levels l_0 … l_7 (units of the format's smallest step) the magnitude index is
        the number of i in 0 … 6 with 2 · l_7 · |h| > (l_i + l_(i+1)) · A, that is the level nearest to
        l_7 · |h| / A; an equality counts where i + 1 is even (e3m0: where i ≥ 1). Larger magnitudes
        saturate; A = 0 gives index 0. Sign-magnitude formats: a negative h that rounds to zero is −0, code
        8; h = 0 is code 0. int4: two's complement, −7 to 7.

    Raises:
        ValueError: another format, an h that is not an integer, a negative amp.
    """
    form = operand_format("fmt", fmt)
    check_int("h", h, None, None)
    check_int("amp", amp, 0, None)
    index = _magnitude_index(abs(h), amp, form)
    if h >= 0:
        return index
    if form.kind == "int":
        return -index % form.n_codes
    return form.n_codes // 2 + index


def _magnitude_index(magnitude: int, amp: int, form: Format) -> int:
    if amp == 0:
        return 0
    levels = _levels(form)
    index = 0
    for i in range(_INDICES - 1):
        scaled = 2 * levels[-1] * magnitude
        threshold = (levels[i] + levels[i + 1]) * amp
        index += scaled > threshold or (scaled == threshold and _tie_rounds_up(i, form))
    return index


@cache
def _levels(form: Format) -> tuple[int, ...]:
    return tuple(decode(index, form).value for index in range(_INDICES))


def _tie_rounds_up(i: int, form: Format) -> bool:
    """Whether the midpoint of levels i and i + 1 goes to level i + 1."""
    if form.kind == "float" and form.man_bits == 0:  # E3M0, the torch formula of LLM-FP4
        return i >= 1
    return (i + 1) % 2 == 0
