"""Functional coverage counts what was brought about, says what was not, and refuses wrong declarations."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from itertools import product

import pytest

from fpsim.arith.align import align
from fpsim.arith.decode import decode
from fpsim.arith.mul import mul
from fpsim.arith.quantizer import quantizer
from fpsim.arith.row_scale import amplitude, row_scale
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.formats import get
from fpsim.verify.covergroup import (
    CoverageError,
    Covergroup,
    FunctionalCoverage,
    Recorder,
    merge,
    unreachable,
)
from fpsim.verify.covergroups.sampler import Sampler, StreamSampler, float_case, rounding_case
from fpsim.verify.covergroups.table import SAMPLERS, sampler
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.suite import RTL_CONFIG
from fpsim.verify.units import UNIT_NAMES, unit

SMALL = ArrayConfig(1, 1, UnitConfig(("e2m1", "int4"), acc_bits=9, guard_bits=0, hadamard_n=2))
FLOAT = ArrayConfig(1, 2, UnitConfig(("e3m0",), acc_bits=40, hadamard_n=8, float_acc=FloatAccumulator(5, 10)))
SATURATING = ArrayConfig(3, 4, UnitConfig(acc_bits=15, overflow="saturate", overlap=False))
CONFIGS = {"fault": FAULT_CONFIG, "rtl": RTL_CONFIG, "small": SMALL, "float": FLOAT, "saturating": SATURATING}

POINTS = {"sign": ("+", "−"), "size": ("zero", "small", "large")}
CROSS = ("sign", "size")
NO_MINUS_ZERO = unreachable("integers have one zero", sign="−", size="zero")


def group() -> Covergroup:
    """Two points of 2 and 3 bins, crossed; one bin of the cross cannot be."""
    return Covergroup("thing", POINTS, (CROSS,), (NO_MINUS_ZERO,))


def judged(*samples: tuple[str, str]) -> FunctionalCoverage:
    """What a few samples of both points make."""
    recorder = Recorder(group())
    for sign, size in samples:
        recorder.sample(sign=sign, size=size)
    return group().judge(recorder.hits())


def test_points_and_crosses_are_counted() -> None:
    found = judged(("+", "zero"), ("+", "zero"), ("−", "large"))
    assert (found.hit, found.total) == (2 + 2 + 2, 2 + 3 + 5)
    assert found.percent == 60.0
    assert found.missing == (
        "size: small",
        "sign × size: + × small",
        "sign × size: + × large",
        "sign × size: − × small",
    )


def test_a_sample_of_one_point_leaves_the_cross_alone() -> None:
    recorder = Recorder(group())
    recorder.sample(sign="−")
    assert recorder.hits() == {"sign": {"−": 1}}


def test_all_that_can_be_reached_is_everything() -> None:
    reachable = [bins for bins in product(*POINTS.values()) if bins != ("−", "zero")]
    found = judged(*reachable)
    assert (found.percent, found.missing) == (100.0, ())
    assert [(bins.where, bins.bins, bins.reason) for bins in found.unreachable] == [
        ("sign −, size zero", 1, "integers have one zero")
    ]


def test_a_declared_unreachable_bin_that_is_hit_is_an_error() -> None:
    with pytest.raises(CoverageError, match=r"sign × size: − × zero was hit 1 times, .*one zero"):
        judged(("−", "zero"))


def test_a_value_without_a_bin_is_an_error() -> None:
    with pytest.raises(CoverageError, match=r"size='huge': no such bin"):
        judged(("+", "huge"))


def test_no_sample_covers_nothing() -> None:
    assert judged().hit == 0
    assert judged().total == 10


def test_counts_of_several_runs_add_up() -> None:
    assert merge({"a": {"x": 1}}, {}, {"a": {"x": 2, "y": 1}, "b": {"z": 3}}) == {
        "a": {"x": 3, "y": 1},
        "b": {"z": 3},
    }


def test_the_result_is_plain_data() -> None:
    data = asdict(judged(("+", "small")))
    assert data["unreachable"][0]["reason"] == "integers have one zero"
    assert set(data) == {"unit", "hit", "total", "unreachable", "missing"}


@pytest.mark.parametrize(
    ("crosses", "where", "message"),
    [
        ((("sign", "colour"),), {}, "'colour': expected one of sign, size"),
        ((), {"sign": "0"}, "'0' is no bin of sign"),
        ((), {"colour": "red"}, "'colour': expected one of sign, size"),
        ((), {"sign": "+", "size": "zero"}, "no cross has all of these points"),
    ],
)
def test_a_declaration_of_what_there_is_not_is_refused(
    crosses: tuple[tuple[str, ...], ...], where: dict[str, str], message: str
) -> None:
    rules = (unreachable("a test", **where),) if where else ()
    with pytest.raises(ValueError, match=message):
        Covergroup("thing", POINTS, crosses, rules)


def test_rounding_cases_are_told_apart() -> None:
    cases = [rounding_case(n, 4) for n in range(4, 12)]
    half = ["exact", "below half", "tie up", "above half", "exact", "below half", "tie down", "above half"]
    assert cases == half
    assert rounding_case(2, 4, tie_up=True) == "tie up"


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_float_cases_know_subnormal_steps(name: str) -> None:
    fmt = get(name)
    quarters = [float_case(fmt.step * n / 4, fmt) for n in range(9)]
    steps = [("exact", "below half", tie, "above half") for tie in ("tie down", "tie up")]
    assert quarters == [*steps[0], *steps[1], "exact"]
    assert float_case(1 + Fraction(1, 1 << fmt.man_bits + 1), fmt) == "tie down"


def test_waits_are_counted_from_the_beat_before() -> None:
    found = sampler(unit("hadamard", FAULT_CONFIG), FAULT_CONFIG)
    assert isinstance(found, StreamSampler)
    for offered, ready in ((True, True), (False, True), (True, False), (True, False), (True, True)):
        found.input_cycle(offered, ready)
    for valid, ready in ((True, False), (True, True), (True, True)):
        found.output_cycle(valid, ready)
    assert found.hits()["gap × refused"] == {"1 × many": 1}
    assert found.hits()["stalled"] == {"1": 1, "0": 1}


def test_every_unit_has_a_covergroup() -> None:
    assert tuple(SAMPLERS) == UNIT_NAMES
    with pytest.raises(ValueError, match="unit='top': expected one of decode, "):
        sampler(unit("top", FAULT_CONFIG), FAULT_CONFIG)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("name", UNIT_NAMES)
def test_declarations_fit_their_points_and_say_why(name: str, config: str) -> None:
    group = sampler(unit(name, CONFIGS[config]), CONFIGS[config]).group
    empty = group.judge({})
    assert empty.total > 10
    assert len(empty.missing) == empty.total
    assert all(len(bins.reason) > 10 for bins in empty.unreachable)


def test_a_declaration_that_leaves_nothing_out_is_an_error() -> None:
    again = unreachable("said twice", sign="−", size="zero")
    with pytest.raises(CoverageError, match="sign −, size zero: declared unreachable, but leaves no bin out"):
        Covergroup("thing", POINTS, (CROSS,), (NO_MINUS_ZERO, again)).judge({})


def exhausted(name: str, config: ArrayConfig) -> Sampler:
    """A fresh sampler, to be told everything that there is."""
    return sampler(unit(name, config), config)


@pytest.mark.parametrize("config", [FAULT_CONFIG, SMALL, FLOAT])
def test_of_decode_and_mul_all_that_exists_hits_all_but_the_unreachable(config: ArrayConfig) -> None:
    decoding, multiplying = exhausted("decode", config), exhausted("mul", config)
    operands = []
    for fmt, low, code in product(range(4), (0, 1), range(16)):
        name = OPERAND_FORMATS[fmt]
        built_in = name in config.unit.formats
        operand = decode(code, name, low=bool(low) and name == "int4") if built_in else decode(0, "e2m1")
        decoding.result({"code": code, "fmt": fmt, "low": low}, {"neg": operand.neg, "sig": operand.sig})
        operands += [operand] * built_in
    for a, b in product(dict.fromkeys(operands), repeat=2):
        words = {"a_neg": a.neg, "a_sig": a.sig, "a_shift": a.shift}
        words |= {"b_neg": b.neg, "b_sig": b.sig, "b_shift": b.shift}
        multiplying.result(words, {"product": mul(a, b)})
    for found in (decoding, multiplying):
        assert not found.group.judge(found.hits()).missing


def test_of_row_scale_all_that_exists_hits_all_but_the_unreachable() -> None:
    for config in (FAULT_CONFIG, SMALL):
        found = exhausted("row_scale", config)
        largest = 1 << found.unit.inputs[0].bits - 1
        for amax in range(largest + 1):
            amp = amplitude(amax)
            for exp in (1 + amax % 31, 31 - amax % 7) if 64 < amax < largest else range(1, 32):
                scale = row_scale(amp, exp, config.unit.guard_bits)
                found.result({"amax": amax, "exp": exp}, {"amp": amp, "scale": scale})
        assert not found.group.judge(found.hits()).missing


def test_of_align_no_pattern_hits_what_is_declared_unreachable() -> None:
    found = exhausted("align", SMALL)
    for bits in (*range(0, 1 << 16, 3), 0x7C00, 0x8000, 0xFC00):
        row = align((bits, 0x3C00), 0)
        for exp in (31,) if row.special else (1, 2, 3, 15, 30):
            words = {"x": bits | 0x3C00 << 16, "exp": exp}
            found.result(words, {"exp_max": row.exp, "special": int(row.special)})
    missing = found.group.judge(found.hits()).missing
    assert not [one for one in missing if one.startswith("number × sign × rounding")]


def test_of_the_quantizer_every_small_case_hits_no_unreachable_bin() -> None:
    found = exhausted("quantizer", FAULT_CONFIG)
    port = found.unit.inputs[0]
    for name, amp in product(OPERAND_FORMATS, [*range(30), 256]):
        for h in range(-amp - 2, amp + 3):
            words = {"h": h & (1 << port.bits) - 1, "amp": amp, "fmt": OPERAND_FORMATS.index(name)}
            found.result(words, {"codes": quantizer(h, amp, name)})
    missing = found.group.judge(found.hits()).missing
    assert not [one for one in missing if one.startswith(("format × threshold", "format × code"))]


def test_under_ue4m3_no_block_is_small_and_none_is_large() -> None:
    scale, element, fp32 = get("ue4m3"), get("e2m1"), get("fp32")
    smallest = scale.step**2 * element.step**2
    assert smallest == Fraction(1, 1 << 20)  # every block is a multiple of it: never below a normal number
    assert smallest > fp32.step * (1 << fp32.man_bits)
    assert 16 * (scale.max_value * element.max_value) ** 2 * (1 << 100) < fp32.max_value


def test_products_of_the_floating_element_are_multiples_of_fp32s_smallest_step() -> None:
    assert Fraction(2) ** -128 % get("fp32").step == 0
    assert Fraction(2) ** -128 % get("bf16").step == 0
