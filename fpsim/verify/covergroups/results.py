"""Cover points of fpsim_epilogue and fpsim_wide_epilogue: every class of result in every rounding case."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

from fpsim.arith.number import floor_log2
from fpsim.array.config import ArrayConfig
from fpsim.formats import Format, get
from fpsim.verify.covergroup import unreachable
from fpsim.verify.covergroups.rows import FP16, signed
from fpsim.verify.covergroups.sampler import (
    OVERFLOWS,
    RESULT_SIGNS,
    ROUNDINGS,
    SIGNS,
    StreamSampler,
    Words,
    float_case,
    float_class,
    sign_of,
)
from fpsim.verify.ports import Unit

RESULT_FORMATS = ("fp16", "bf16", "fp32")  # the selectors' order
BIASES = ("+0", "−0", "positive", "negative")
TF32 = get("tf32")


@cache
def _value(bits: int, fmt: Format) -> Fraction:
    value = fmt.value(bits)
    assert isinstance(value, Fraction)
    return value


class EpilogueSampler(StreamSampler):
    """Results by format, class, sign and rounding case; both ends of the range; what is 0 on the way."""

    formats: tuple[str, ...] = RESULT_FORMATS[:1]

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        points = {
            "format": self.formats,
            "result": ("zero", "subnormal", "normal"),
            "sign": SIGNS,
            "rounding": ROUNDINGS,
            "overflow": OVERFLOWS,
            "zero_by": ("zeros alone", "cancellation", "rounding"),
            "acc": RESULT_SIGNS,
            "row_scale": ("zero", "normal"),
            "bias": BIASES,
        }
        crosses = (
            ("format", "result", "rounding", "sign"),
            ("format", "overflow"),
            ("format", "zero_by", "sign"),
            ("format", "acc", "bias"),
            ("row_scale", "acc", "bias"),
            ("format", "stalled"),
        )
        exact = "an exact sum of 0 is +0"
        half = "more than half of the smallest number does not round to 0"
        rules = (
            unreachable("0 is even: a tie beside it goes down to it", result="zero", rounding="tie up"),
            unreachable(half, result="zero", rounding="above half"),
            unreachable(exact, result="zero", rounding="exact", sign="−"),
            unreachable(exact, zero_by=("zeros alone", "cancellation"), sign="−"),
        )
        super().__init__(unit, config, points, crosses, rules)

    def format_of(self, inputs: Words) -> str:
        """The result's format."""
        return self.formats[0]

    def result(self, inputs: Words, expected: Words) -> None:
        """A row, lane by lane."""
        acc_port, _, col_port, bias_port = self.unit.inputs[:4]
        y_port, name = self.unit.outputs[0], self.format_of(inputs)
        form, row_scale = get(name), _value(inputs["row_scale"], TF32)
        step = Fraction(2) ** (floor_log2(form.max_value) - form.man_bits)
        for lane in range(acc_port.lanes):
            acc = signed(acc_port.lane(inputs["acc"], lane), acc_port.bits)
            bias = bias_port.lane(inputs["bias"], lane)
            product = acc * row_scale * _value(col_port.lane(inputs["col_scale"], lane), TF32)
            offset = _value(bias, FP16)
            total = product + offset
            code = y_port.lane(expected["y"], lane)
            bins = {
                "format": name,
                "sign": SIGNS[code >= form.n_codes // 2],
                "result": float_class(code, form),
                "acc": sign_of(acc),
                "row_scale": "normal" if row_scale else "zero",
                "bias": BIASES[bias >> 15] if not offset else BIASES[2 + (offset < 0)],
            }
            if abs(total) >= form.max_value + step / 2:
                bins["overflow"] = OVERFLOWS[1 + (total < 0)]
            else:
                bins |= {"overflow": "none", "rounding": float_case(abs(total), form)}
            if bins["result"] == "zero":
                bins["zero_by"] = "rounding" if total else "cancellation" if offset else "zeros alone"
            self.sample(**bins)
        self.sample(format=name, stalled=self.stalled)


class WideEpilogueSampler(EpilogueSampler):
    """The same for three formats."""

    formats = RESULT_FORMATS

    def format_of(self, inputs: Words) -> str:
        """The selected format."""
        return RESULT_FORMATS[inputs["result"]]
