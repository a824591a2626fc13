"""The law and the kernels of stochastic sums, on the same codes and random bits, to the bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fpsim import matmul
from fpsim.arith.dot_product import dot_product
from fpsim.formats import Accumulator, get
from fpsim.kernels.cast import decode, encode
from tests.oracles.test_law_equals_kernel_sums import TARGETS, random_codes

PAIRS = [("e2m1", "e2m1"), ("int4", "int8"), ("e4m3", "e5m2"), ("fp16", "e3m2"), ("bf16", "bf16")]


def kinds(fmt: object, overflow: str) -> list[Accumulator]:
    common = {"rounding": "stochastic", "overflow": overflow}
    return [
        Accumulator.sequential(fmt, **common),  # type: ignore[arg-type]
        Accumulator.sequential(fmt, **common, fused=False, scale="e8m0", block=8),  # type: ignore[arg-type]
        Accumulator.tree(fmt, 8, **common),  # type: ignore[arg-type]
        Accumulator.tree(fmt, 4, **common, fused=False, scale="ue4m3", block=16),  # type: ignore[arg-type]
        Accumulator.exact_plus_c(fmt, **common, step=8),  # type: ignore[arg-type]
        Accumulator.exact_plus_c(fmt, **common, scale="ue4m3", block=16),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("fmt", TARGETS, ids=str)
def test_every_kind_format_and_number_of_bits(fmt: object) -> None:
    rng = np.random.default_rng([520, TARGETS.index(fmt)])  # type: ignore[arg-type]
    form = get(fmt)  # type: ignore[arg-type]
    cases = 0
    for overflow in ("ieee", "inf", "saturate") if form.has_inf else ("saturate",):
        for acc, pair in itertools.product(kinds(fmt, overflow), PAIRS):
            depth, nbits = (
                int(rng.choice([1, 7, 16, 35])),
                int(rng.integers(1, min(32, 50 - form.man_bits) + 1)),
            )
            a, b = (random_codes(rng, name, (2, depth), form.has_inf) for name in pair)
            random = rng.integers(0, 1 << nbits, (2, 2, acc.roundings(depth)))
            random[0, 0], random[1, 1] = 0, (1 << nbits) - 1
            wide = np.ldexp(rng.standard_normal((2, 2)), rng.integers(-12, 12, (2, 2)))
            c = decode(encode(wide, form), form)
            c[1, 0] = -0.0
            scales = {}
            if acc.scale is not None:
                middle = acc.scale.max_magnitude_code // 2
                size = (2, -(-depth // acc.block))
                for name in ("a_scale", "b_scale"):
                    scales[name] = rng.integers(middle - 20, middle + 20, size).astype(np.uint8)
            got = matmul(
                a, b, a_fmt=pair[0], b_fmt=pair[1], acc=acc, c=c, random_bits=(random, nbits), **scales
            ).view(np.uint32)
            for m, n in itertools.product(range(2), range(2)):
                own = {f"{x}s": v[m if x[0] == "a" else n].tolist() for x, v in scales.items()}
                law = dot_product(
                    a[m].tolist(), b[n].tolist(), *pair, acc, c_bits=int(c.view(np.uint32)[m, n]),
                    random_bits=(random[m, n].tolist(), nbits), **own,
                )  # fmt: skip
                where = f"{acc}\n{pair} K={depth} nbits={nbits} output {m, n}"
                assert int(got[m, n]) == law, f"kernel {got[m, n]:#010x}, law {law:#010x}: {where}"
                cases += 1
    assert cases == 6 * 5 * 4 * (3 if form.has_inf else 1)
