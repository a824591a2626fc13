"""Refusing a bad argument, in one wording for all units."""

from __future__ import annotations

# Ranges of `UnitConfig` and `Accumulator`, which the units share.
MAX_GUARD_BITS = 8
MIN_ACC_BITS, MAX_ACC_BITS = 2, 63


def check_int(name: str, value: object, low: int | None, high: int | None) -> None:
    """Raise ValueError unless `value` is an integer (not a bool) in [low, high]; None leaves a side open."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name}={value!r}: expected an integer")
    if (low is not None and value < low) or (high is not None and value > high):
        if high is None:
            legal = f"at least {low}"
        elif low is None:
            legal = f"at most {high}"
        else:
            legal = f"from {low} to {high}"
        raise ValueError(f"{name}={value}: expected an integer {legal}")


def check_signed(name: str, value: object, bits: int) -> None:
    """Raise ValueError unless `value` is an integer that fits two's complement of `bits` bits."""
    check_int(name, value, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)
