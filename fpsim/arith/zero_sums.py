"""Zero points out of an accumulator: the sum of (a - z_a) · (w - z_w) from the sum of a · w."""

from __future__ import annotations


def without_zeros(acc: int, row_sum: int, col_sum: int, depth: int, act_zero: int, weight_zero: int) -> int:
    """Σ_k (a_k - z_a) · (w_k - z_w) = acc - z_w · (Σ a - K · z_a) - z_a · Σ w (rtl/README.md, "zero points").

    Args:
        acc: Σ_k a_k · w_k as the accumulator holds it.
        row_sum: Σ_k a_k of the activation codes' values, exact.
        col_sum: Σ_k w_k of the weight codes' values, exact.
        depth: K.
        act_zero: z_a; 0 where activations have no zero point.
        weight_zero: z_w; likewise.

    Returns:
        The corrected sum, an integer that is not wrapped.
    """
    return acc - weight_zero * (row_sum - depth * act_zero) - act_zero * col_sum
