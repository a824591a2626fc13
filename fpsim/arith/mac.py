"""One step of the multiply-accumulate unit: add a product to a register that wraps."""

from __future__ import annotations

from fpsim.arith.checks import MAX_ACC_BITS, MIN_ACC_BITS, check_int, check_signed


def wrap(value: int, bits: int) -> int:
    """The integer congruent to `value` modulo 2^bits in [−2^(bits−1), 2^(bits−1)): two's complement.

    Raises:
        ValueError: bits is not 2 to 63.
    """
    check_int("bits", bits, MIN_ACC_BITS, MAX_ACC_BITS)
    half = 1 << (bits - 1)
    return (value + half) % (1 << bits) - half


def mac(acc: int, product: int, *, first: bool, acc_bits: int) -> int:
    """One beat of a processing element (rtl/README.md, "mac").

    Args:
        acc: the register before the beat, a signed integer of `acc_bits` bits.
        product: any integer, in the same units as the register.
        first: the first beat of a tile: the register counts as 0.
        acc_bits: width of the register, 2 to 63.

    Returns:
        The register after the beat, modulo 2^acc_bits (two's complement wrap).

    Raises:
        ValueError: acc_bits out of range, or an acc that its register cannot hold.
    """
    check_int("acc_bits", acc_bits, MIN_ACC_BITS, MAX_ACC_BITS)
    check_signed("acc", acc, acc_bits)
    return wrap((0 if first else acc) + product, acc_bits)
