"""HTG at the paper's widths and below, the ladder that leads to it, and HTG with a rotation.

The paper (arXiv 2503.06930) has W8A8 and W4A8. On the digits those lose next to nothing with any recipe;
what groups and shifts are worth shows at 6- and 4-bit activations, which the paper does not have.
"""

from __future__ import annotations

from fpsim.quant.htg import HTG


def _static(act_bits: int) -> HTG:
    return HTG(
        act_fmt=f"int{act_bits}",
        weight_fmt="int4",
        groups=1,
        shift=False,
        scale="none",
        name=f"static-w4a{act_bits}",
        title=f"W4A{act_bits} INT, static per-tensor scales, GPTQ",
    )


def _groups(act_bits: int) -> HTG:
    return HTG(
        act_fmt=f"int{act_bits}",
        weight_fmt="int4",
        shift=False,
        scale="none",
        name=f"groups-w4a{act_bits}",
        title=f"W4A{act_bits} INT, static scales per group of timesteps, GPTQ",
    )


def _htg(weight_bits: int, act_bits: int) -> HTG:
    return HTG(
        act_fmt=f"int{act_bits}",
        weight_fmt=f"int{weight_bits}",
        name=f"htg-w{weight_bits}a{act_bits}",
        title=f"W{weight_bits}A{act_bits} INT, HTG: scales, shifts and factors per group of timesteps",
    )


HTG_RECIPES: tuple[HTG, ...] = (
    _htg(8, 8),
    _htg(4, 8),
    _static(6),
    _groups(6),
    _htg(4, 6),
    _static(4),
    _groups(4),
    _htg(4, 4),
    HTG("e2m1", "e2m1", name="htg-e2m1-w4a4", title="W4A4 E2M1, HTG: scales, shifts and factors per group"),
    HTG(
        "e2m1",
        "e2m1",
        rotated=True,
        name="htg-hadamard-w4a4",
        title="W4A4 E2M1, HTG's shifts and factors, then a Hadamard rotation and per-token scales",
    ),
    HTG(
        "int4",
        "int4",
        rotated=True,
        name="htg-hadamard-int4-w4a4",
        title="W4A4 INT4, the same with integers and a zero point per token",
    ),
)
