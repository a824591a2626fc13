"""Cover points of fpsim_quantizer and fpsim_wide_quantizer: thresholds, ties, saturation, zero points."""

from __future__ import annotations

from collections.abc import Iterator

from fpsim.arith.decode import decode
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.formats import get
from fpsim.verify.covergroup import unreachable
from fpsim.verify.covergroups.rows import lanes_of, signed
from fpsim.verify.covergroups.sampler import (
    NO_YES,
    ROUNDINGS,
    SIGNS,
    StreamSampler,
    Words,
    rounding_case,
)
from fpsim.verify.ports import Unit

SIDES = ("just below", "at", "just above")
SIZES = ("zero", "below the amplitude", "the amplitude", "beyond")
WIDE_FORMATS = (*OPERAND_FORMATS, "int6", "int8")  # the selectors' order
INTEGERS = WIDE_FORMATS[3:]
LEVELS = {name: [decode(index, name).value for index in range(8)] for name in OPERAND_FORMATS}


def size_of(h: int, amp: int) -> str:
    """A magnitude against the amplitude, as a bin of `SIZES`."""
    if not h:
        return "zero"
    return SIZES[1 + (abs(h) >= amp) + (abs(h) > amp)]


def at_thresholds(h: int, amp: int, name: str) -> Iterator[tuple[str, str]]:
    """Thresholds that a magnitude is on, or next to on either side: (number, bin of `SIDES`)."""
    levels = LEVELS[name]
    scaled, step = 2 * levels[7] * abs(h), 2 * levels[7]
    for i in range(7):
        distance = scaled - (levels[i] + levels[i + 1]) * amp
        if -step <= distance <= step:
            yield str(i), SIDES[(distance > 0) - (distance < 0) + 1]


class QuantizerSampler(StreamSampler):
    """Every threshold of every format, from both sides and on it; every code; large magnitudes."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        formats = config.unit.formats
        points = {
            "format": formats,
            "threshold": tuple(map(str, range(7))),
            "side": SIDES,
            "sign": SIGNS,
            "code": tuple(f"{code:04b}" for code in range(16)),
            "size": SIZES,
            "amplitude": ("zero", "other"),
        }
        crosses = (
            ("format", "threshold", "side", "sign"),
            ("format", "code"),
            ("format", "size", "sign"),
            ("format", "amplitude", "sign"),
            ("format", "stalled"),
        )
        rules = [unreachable("0 has no sign", size="zero", sign="−")]
        if "int4" in formats:
            rules.append(unreachable("codes of int4 end at −7", format="int4", code="1000"))
        super().__init__(unit, config, points, crosses, rules)
        self._cases: dict[tuple[int, int, int], list[dict[str, str]]] = {}

    def result(self, inputs: Words, expected: Words) -> None:
        """A beat, lane by lane."""
        fmt, amp, codes = inputs["fmt"], inputs["amp"], self.unit.outputs[0]
        name = OPERAND_FORMATS[fmt]
        for lane, h in enumerate(lanes_of(self.unit.inputs[0], inputs["h"])):
            cases = self._cases.get((h, amp, fmt))
            if cases is None:
                cases = self._cases[h, amp, fmt] = list(self._bins_of(h, amp, name))
            for case in cases:
                self.sample(**case)
            self.sample(format=name, code=f"{codes.lane(expected['codes'], lane):04b}")
        self.sample(format=name, stalled=self.stalled)

    def _bins_of(self, h: int, amp: int, name: str) -> Iterator[dict[str, str]]:
        sign = SIGNS[h < 0]
        amplitude = "other" if amp else "zero"
        yield {"format": name, "size": size_of(h, amp), "sign": sign, "amplitude": amplitude}
        for threshold, side in at_thresholds(h, amp, name) if amp else ():
            yield {"format": name, "threshold": threshold, "side": side, "sign": sign}


class WideQuantizerSampler(StreamSampler):
    """Rounding cases of all six formats, nearest and at random, with and without a zero point."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        points = {
            "format": WIDE_FORMATS,
            "sign": SIGNS,
            "rounding": ROUNDINGS,
            "size": SIZES,
            "amplitude": ("zero", "other"),
            "mode": ("nearest", "stochastic"),
            "zero_point": NO_YES,
            "went": ("stayed", "down", "up"),
            "clamped": ("no", "low", "high"),
        }
        crosses = (
            ("format", "zero_point", "rounding", "sign"),
            ("format", "mode", "size", "sign"),
            ("format", "mode", "amplitude"),
            ("format", "mode", "zero_point", "went", "sign"),
            ("format", "mode", "zero_point", "clamped"),
            ("format", "stalled"),
        )
        floats = OPERAND_FORMATS[:3]
        rules = (
            unreachable("0 has no sign", size="zero", sign="−"),
            unreachable("floats have no zero point", format=floats, zero_point="yes"),
            unreachable("a row takes ten cycles and more", gap=("0", "1"), refused=("0", "1")),
            unreachable("nothing is added to the steps", zero_point="no", clamped=("low", "high")),
        )
        super().__init__(unit, config, points, crosses, rules)

    def result(self, inputs: Words, expected: Words) -> None:
        """A beat, lane by lane."""
        name, amp = WIDE_FORMATS[inputs["format"]], inputs["amp"]
        high, low = self.unit.outputs
        form = get(name)
        zero = signed(inputs["zero"], 8) if inputs["asymmetric"] else None
        for lane, h in enumerate(lanes_of(self.unit.inputs[0], inputs["h"])):
            code = 16 * high.lane(expected["high"], lane) + low.lane(expected["low"], lane)
            case, below = _place(h, amp, name, zero)
            bins = {
                "format": name,
                "sign": SIGNS[h < 0],
                "size": size_of(h, amp),
                "amplitude": "other" if amp else "zero",
                "mode": "stochastic" if inputs["stochastic"] else "nearest",
                "zero_point": NO_YES[zero is not None],
            }
            if not inputs["stochastic"]:
                bins["rounding"] = case
            if zero is None:
                index = abs(signed(code, 8)) if name in INTEGERS else code & 7
                bins["went"] = "stayed" if case == "exact" else "up" if index > below else "down"
                self.sample(**bins, clamped="no")
                continue
            steps = below if h >= 0 else -below
            half = form.n_codes // 2
            clamped = "low" if steps + zero < -half else "high" if steps + zero > half - 1 else "no"
            if clamped == "no":
                bins["went"] = self._went(signed(code, 8) - zero, below, case)
            self.sample(**bins, clamped=clamped)
        self.sample(format=name, stalled=self.stalled)

    @staticmethod
    def _went(steps: int, below: int, case: str) -> str:
        if case == "exact":
            return "stayed"
        return "up" if abs(steps) > below else "down"


def _place(h: int, amp: int, name: str, zero: int | None) -> tuple[str, int]:
    """The rounding case of a magnitude, and the index of the level below it."""
    size = min(abs(h), amp)
    if not amp:
        return "exact", 0
    if name in INTEGERS:
        steps = get(name).n_codes - 1 if zero is not None else get(name).n_codes // 2 - 1
        return rounding_case(steps * size, amp), steps * size // amp
    levels = LEVELS[name]
    scaled = levels[7] * size
    index = max(i for i in range(8) if levels[i] * amp <= scaled)
    if index == 7:
        return "exact", 7
    gap = (levels[index + 1] - levels[index]) * amp
    tie_up = index >= 1 if name == "e3m0" else index % 2 == 1
    return rounding_case(scaled - levels[index] * amp, gap, tie_up=tie_up), index
