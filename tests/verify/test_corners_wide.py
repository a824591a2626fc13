"""The random vectors of the wide epilogue and the wide quantizer hold the corners that they should."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest

from fpsim.arith.epilogue import epilogue
from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.formats import get
from fpsim.verify.benches import wide_epilogue_tests, wide_quantizer_tests
from fpsim.verify.units import unit

TF32, FP16 = get("tf32"), get("fp16")
WIDE = ArrayConfig(1, 2, UnitConfig(("e3m0",), acc_bits=40, guard_bits=8, hadamard_n=2))


def bench(name: str, config: ArrayConfig) -> Any:
    """As much of a bench as the makers of vectors look at, without a simulator."""
    return SimpleNamespace(rng=random.Random(1), config=config, unit=unit(name, config))


def number(fmt: str, bits: int) -> Fraction:
    """The value of finite bits."""
    value = get(fmt).value(bits)
    assert isinstance(value, Fraction)
    return value


@pytest.mark.parametrize("result", ["fp16", "bf16", "fp32"])
@pytest.mark.parametrize("config", [ArrayConfig(8, 8), WIDE], ids=["usual", "wide"])
def test_wide_epilogue_lanes_meet_both_ends_ties_and_cancellation(result: str, config: ArrayConfig) -> None:
    form, fake, kinds = get(result), bench("wide_epilogue", config), Counter[str]()
    sign = form.n_codes // 2
    for _ in range(400):
        maker = wide_epilogue_tests.WideLaneMaker(fake, result)
        for acc, column, bias in (maker.lane() for _ in range(4)):
            product = acc * number("tf32", maker.row_scale) * number("tf32", column)
            exact = product + number("fp16", bias)
            code = epilogue(acc, maker.row_scale, column, bias, result) % sign
            kinds["subnormal"] += 0 < code < 1 << form.man_bits
            kinds["largest"] += code == form.max_magnitude_code
            kinds["lost"] += exact != 0 and code == 0
            kinds["inexact"] += abs(exact) != number(result, code)
            kinds["beside"] += product != 0 != number("fp16", bias) and abs(exact) < abs(product) / 1024
            for other in {max(code - 1, 0), min(code + 1, form.max_magnitude_code)} - {code}:
                kinds["tie"] += 2 * abs(exact) == number(result, code) + number(result, other)
    assert {kind: count for kind, count in kinds.items() if count < 10} == {}


def test_wide_quantizer_lanes_meet_ties_and_saturation() -> None:
    fake, kinds = bench("wide_quantizer", ArrayConfig(8, 8)), Counter[str]()
    for _ in range(2000):
        steps = fake.rng.choice((7, 31, 127, 15, 63, 255))
        amp = wide_quantizer_tests._amplitude(fake, steps)
        h = wide_quantizer_tests._integer(fake, amp, steps, "int8")
        x = Fraction(2 * steps * abs(h), amp) if amp else Fraction(0)
        kinds["no amplitude"] += amp == 0
        kinds["tie"] += x.denominator == 1 and x % 2 == 1
        kinds["level"] += x.denominator == 1 and x % 2 == 0
        kinds["above"] += x > 2 * steps
        kinds["at the top"] += x == 2 * steps
        kinds["negative"] += h < 0
    assert min(kinds.values()) >= 20, kinds
    assert len(kinds) == 6
