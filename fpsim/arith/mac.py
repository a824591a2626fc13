"""One step of the multiply-accumulate unit: add a product to a register that wraps or saturates."""

from __future__ import annotations

from fpsim.arith.checks import MAX_ACC_BITS, MIN_ACC_BITS, check_int, check_signed

NIBBLE = 16


def wrap(value: int, bits: int) -> int:
    """The integer congruent to `value` modulo 2^bits in [−2^(bits−1), 2^(bits−1)): two's complement.

    Raises:
        ValueError: bits is not 2 to 63.
    """
    check_int("bits", bits, MIN_ACC_BITS, MAX_ACC_BITS)
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half


def clamp(value: int, bits: int) -> int:
    """The integer of [−2^(bits−1), 2^(bits−1)) that is nearest to `value`.

    Raises:
        ValueError: bits is not 2 to 63.
    """
    check_int("bits", bits, MIN_ACC_BITS, MAX_ACC_BITS)
    half = 1 << (bits - 1)
    return min(max(value, -half), half - 1)


def mac(
    acc: int, product: int, *, first: bool, acc_bits: int, shift: bool = False, overflow: str = "wrap"
) -> int:
    """One beat of a processing element (rtl/README.md, "mac").

    Args:
        acc: the register before the beat, a signed integer of `acc_bits` bits.
        product: any integer, in the same units as the register.
        first: the first beat of a tile: the register counts as 0.
        acc_bits: width of the register, 2 to 63.
        shift: the first beat of a pass that weighs 1/16 of the pass before: the register counts 16 times.
        overflow: "wrap" modulo 2^acc_bits (two's complement), or "saturate": clamped to the register's range,
            after every beat.

    Returns:
        The register after the beat.

    Raises:
        ValueError: acc_bits out of range, an acc that its register cannot hold, another overflow rule, or a
            shift in a saturating register (passes only wrap).
    """
    check_int("acc_bits", acc_bits, MIN_ACC_BITS, MAX_ACC_BITS)
    check_signed("acc", acc, acc_bits)
    if overflow not in ("wrap", "saturate"):
        raise ValueError(f"overflow={overflow!r}: expected 'wrap' or 'saturate'")
    if overflow == "saturate" and shift:
        raise ValueError("shift=True: a saturating register takes one pass, expected overflow='wrap'")
    total = (0 if first else acc * NIBBLE if shift else acc) + product
    return wrap(total, acc_bits) if overflow == "wrap" else clamp(total, acc_bits)
