"""What sequences draw for each unit, within what its ports admit, and the law that judges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat

from fpsim.arith.dot_mx import dot_mx
from fpsim.arith.dot_nvfp4 import dot_nvfp4
from fpsim.arith.row_scale import amplitude
from fpsim.array.config import OPERAND_FORMATS
from fpsim.formats import get
from fpsim.verify.benches import (
    align_tests,
    amax_tests,
    decode_tests,
    dot_blocks,
    epilogue_tests,
    group_registers_tests,
    hadamard_outer_tests,
    hadamard_tests,
    lfsr_tests,
    mac_array_tests,
    mac_float_tests,
    mac_tests,
    mul_tests,
    quantizer_tests,
    range_tests,
    row_scale_tests,
    row_sum_tests,
    wide_epilogue_tests,
    wide_quantizer_tests,
    zero_correction_tests,
    zero_point_tests,
)
from fpsim.verify.benches.chooser import Beats, Chooser
from fpsim.verify.benches.harness import Bench, Law, Words, pack
from fpsim.verify.benches.sequence_player import Played
from fpsim.verify.benches.stream import one_to_one
from fpsim.verify.sv_row_package import QUANTIZER_FORMATS, RESULT_FORMATS
from fpsim.verify.units import Port

LONGEST_TILE = 4  # beats of a pass
SMALL_UNITS = (-6, 0)  # exponents of a product's unit that layers have
BLOCKS = ((1, 1, 1), (1, 2, 1), (1, 1, 3), (1, 2, 2), (1, 4, 1), (12, 12, 1))  # base, points, stride


def _each(words: Callable[[Chooser], Words]) -> Callable[[Chooser], Beats]:
    """Beats that have nothing to do with one another."""
    return lambda choose: ((words(choose), False) for _ in repeat(None))


def _any_words(bench: Bench) -> Callable[[Chooser], Words]:
    """Any word on every port."""
    return lambda choose: {port.name: choose.word(port) for port in bench.unit.inputs}


def _inputs(bench: Bench, law: Law, words: Callable[[Chooser], Words] | None = None) -> Played:
    return Played(_each(words or _any_words(bench)), law=law)


def _stream(bench: Bench, law: Law, words: Callable[[Chooser], Words] | None = None) -> Played:
    return Played(_each(words or _any_words(bench)), model=lambda: one_to_one(law))


def _lanes(choose: Chooser, port: Port, low: int, high: int) -> int:
    """A port's word of integers from low to high."""
    return pack(choose.lanes(port.lanes, lambda: choose.integer(low, high), 0), port.bits)


def _operands(bench: Bench) -> Callable[[Chooser], Words]:
    known = list(dict.fromkeys(mul_tests.operands(bench.config.unit)))

    def words(choose: Chooser) -> Words:
        a, b = choose.pick(known), choose.pick(known)
        return mul_tests.operand_words("a", a) | mul_tests.operand_words("b", b)

    return words


def _align(bench: Bench) -> Played:
    def words(choose: Chooser) -> Words:
        return {"x": choose.word(bench.unit.inputs[0]), "exp": choose.integer(1, 30)}

    return _inputs(bench, align_tests.law_of(bench), words)


def _row_scale(bench: Bench) -> Played:
    def words(choose: Chooser) -> Words:
        bits = choose.integer(0, bench.unit.inputs[0].bits - 1)
        return {"amax": choose.integer(0, 1 << bits), "exp": choose.integer(1, 31)}

    return _inputs(bench, row_scale_tests.law_of(bench), words)


def _mac(bench: Bench) -> Played:
    operands = _operands(bench)

    def words(choose: Chooser) -> Words:
        control = {"en": 1 - choose.flag(), "first": choose.flag(), "shift": choose.flag()}
        return control | operands(choose)

    return Played(_each(words), register=lambda: mac_tests.MacRegister(bench))


def _mac_float(bench: Bench) -> Played:
    operands, random_bits = _operands(bench), bench.unit.inputs[-1].bits

    def words(choose: Chooser) -> Words:
        ends = choose.pick((SMALL_UNITS, (mac_float_tests.LOWEST_UNIT, mac_float_tests.HIGHEST_UNIT)))
        control = {"en": 1 - choose.flag(), "first": choose.flag()}
        unit = {"unit_exp": choose.integer(*ends) & 0xFF, "random": choose.bits(random_bits)}
        return control | unit | operands(choose)

    return Played(_each(words), register=lambda: mac_float_tests.FloatRegister(bench))


def _clocked(bench: Bench, register: Callable[[Bench], object]) -> Played:
    return Played(_each(_any_words(bench)), register=partial(register, bench))  # type: ignore[arg-type]


def _mac_array(bench: Bench) -> Played:
    unit = bench.unit

    def beats(choose: Chooser) -> Beats:
        formats, whole = Words(), True  # whether the last tile was sent to its end
        while True:
            change = not formats or (whole and choose.pick((False, True)))
            if change:
                names = (choose.pick(bench.config.unit.formats) for _ in "ab")
                formats = dict(zip(("a_fmt", "b_fmt"), map(OPERAND_FORMATS.index, names), strict=True))
            depth = choose.integer(1, LONGEST_TILE)
            whole = not choose.pick((False, False, False, True))
            for index in range(depth):
                marks = {"in_first": int(index == 0), "in_last": int(whole and index == depth - 1)}
                loose = {name: choose.flag() for name in mac_array_tests.PASS_PORTS}
                codes = {port.name: choose.word(port) for port in unit.inputs[-2:]}
                yield formats | marks | loose | codes, change and index == 0

    return Played(
        beats,
        model=lambda: mac_array_tests.TileMonitor(bench, mac_array_tests.law_of(bench)),
        held=mac_array_tests.FORMAT_PORTS,
        patience=100 + bench.config.rows + bench.config.cols,
    )


def _hadamard(bench: Bench) -> Played:
    x_port = bench.unit.inputs[2]
    peak = (1 << x_port.bits - 1) - 1

    def words(choose: Chooser) -> Words:
        enable, signs = choose.flag(), choose.bits(x_port.lanes)
        return {"enable": enable, "signs": signs, "x": _lanes(choose, x_port, -peak, peak)}

    return _stream(bench, hadamard_tests.law_of(bench), words)


def _quantizer(bench: Bench) -> Played:
    h_port, amp_port, _ = bench.unit.inputs

    def words(choose: Chooser) -> Words:
        name = choose.pick(bench.config.unit.formats)
        amp = choose.integer(0, (1 << choose.integer(0, amp_port.bits)) - 1)
        return {"h": _near(choose, h_port, amp), "amp": amp, "fmt": OPERAND_FORMATS.index(name)}

    return _stream(bench, quantizer_tests.law_of(bench), words)


def _near(choose: Chooser, port: Port, size: int) -> int:
    """A port's word of integers of at most a size, or of any."""
    limit = (1 << port.bits - 1) - 1
    top = choose.pick((min(size, limit), limit))
    return _lanes(choose, port, -top, top)


def _epilogue(bench: Bench) -> Played:
    return _stream(bench, epilogue_tests.law_of(bench), partial(_epilogue_words, bench))


def _wide_epilogue(bench: Bench) -> Played:
    def words(choose: Chooser) -> Words:
        return _epilogue_words(bench, choose) | {"result": choose.integer(0, len(RESULT_FORMATS) - 1)}

    return _stream(bench, wide_epilogue_tests.law_of(bench), words)


def _epilogue_words(bench: Bench, choose: Chooser) -> Words:
    acc_port, _, col_port, bias_port = bench.unit.inputs[:4]
    limit = 1 << acc_port.bits - 1

    def scale() -> int:
        exponent = choose.integer(*choose.pick(((117, 137), (1, 254))))
        return exponent << 10 | choose.pick((0, choose.bits(10)))

    def bias() -> int:
        return choose.flag() << 15 | choose.integer(0, 0x7BFF)

    return {
        "acc": _lanes(choose, acc_port, -limit, limit - 1),
        "row_scale": choose.pick((0, 127 << 10, scale())),
        "col_scale": pack(choose.lanes(col_port.lanes, scale, 127 << 10), col_port.bits),
        "bias": pack(choose.lanes(bias_port.lanes, bias, 0), bias_port.bits),
    }


def _dot(bench: Bench, law: dot_blocks.Law) -> Played:
    ports = bench.unit.inputs[2:]

    def beats(choose: Chooser) -> Beats:
        first = True
        while True:
            last = bool(choose.flag())
            codes = {port.name: choose.word(port) for port in ports[:2]}
            scales = {port.name: _scale(choose, port) for port in ports[2:]}
            yield {"in_first": int(first), "in_last": int(last), **codes, **scales}, False
            first = last or choose.pick((False, False, False, True))

    return Played(beats, model=lambda: dot_blocks.model(bench, law))


def _scale(choose: Chooser, port: Port) -> int:
    """A block's scale: one in the middle, the NaN, or any."""
    return choose.pick((1 << port.bits - 1, (1 << port.bits) - 1, choose.bits(port.bits)))


def _wide_quantizer(bench: Bench) -> Played:
    h_port, amp_port, random_port = (bench.unit.inputs[i] for i in (0, 1, 6))

    def words(choose: Chooser) -> Words:
        name = choose.pick(QUANTIZER_FORMATS)
        half = get(name).n_codes // 2
        asymmetric = choose.flag() if name in wide_quantizer_tests.INTEGERS else 0
        amp = choose.integer(0, (1 << choose.integer(0, amp_port.bits)) - 1)
        zero = choose.integer(-half, half - 1) if asymmetric else choose.integer(-128, 127)
        return {
            "h": _near(choose, h_port, amp),
            "amp": amp,
            "format": QUANTIZER_FORMATS.index(name),
            "asymmetric": asymmetric,
            "zero": zero & 255,
            "stochastic": choose.flag(),
            "random": choose.word(random_port),
        }

    return _stream(bench, wide_quantizer_tests.law_of(bench), words)


def _zero_point(bench: Bench) -> Played:
    bits = bench.unit.inputs[0].bits

    def words(choose: Chooser) -> Words:
        top = 1 << choose.integer(0, bits - 1)
        low, high = choose.integer(0, top), choose.integer(0, top - 1)
        name = choose.pick(zero_point_tests.INTEGERS)
        number = QUANTIZER_FORMATS.index(name)
        return {"low": -low & (1 << bits) - 1, "span": amplitude(high + low), "format": number}

    return _stream(bench, zero_point_tests.law_of(bench), words)


def _zero_correction(bench: Bench) -> Played:
    acc, row_sum, act_zero, depth_port, col_sum, weight_zero = bench.unit.inputs

    def words(choose: Chooser) -> Words:
        depth = choose.integer(1, (1 << depth_port.bits) - 1)

        def signed(port: Port, low: int, high: int) -> int:
            return _lanes(choose, port, low, high)

        return {
            "acc": signed(acc, -(1 << acc.bits - 1), (1 << acc.bits - 1) - 1),
            "row_sum": signed(row_sum, -128 * depth, 127 * depth),
            "act_zero": signed(act_zero, -128, 127),
            "depth": depth,
            "col_sum": signed(col_sum, -128 * depth, 127 * depth),
            "weight_zero": signed(weight_zero, -(1 << 15), (1 << 15) - 1),
        }

    return _stream(bench, zero_correction_tests.law_of(bench), words)


def _hadamard_outer(bench: Bench) -> Played:
    x_port = bench.unit.inputs[3]
    peak = (1 << x_port.bits - 1) - 1
    limit = bench.unit.parameters["MaxBeats"]

    def beats(choose: Chooser) -> Iterator[Words]:
        while True:
            base, points, stride = choose.pick([shape for shape in BLOCKS if shape[1] * shape[2] <= limit])
            shape = hadamard_outer_tests.Shape(base, points, stride).words
            for number in range(points * stride):
                later = {"base": choose.integer(0, 2), "points": choose.bits(7), "stride": choose.bits(8)}
                yield (later if number else shape) | {"x": _lanes(choose, x_port, -peak, peak)}

    return Played(
        lambda choose: ((words, False) for words in beats(choose)),
        model=lambda: hadamard_outer_tests.BlockModel(bench),
    )


def _queue(bench: Bench) -> Played:
    return _stream(bench, lambda seen: {"data": seen["data"]})


PLAYED: dict[str, Callable[[Bench], Played]] = {
    "decode": lambda bench: _inputs(bench, decode_tests.law_of(bench)),
    "mul": lambda bench: _inputs(bench, mul_tests.law_of(bench), _operands(bench)),
    "align": _align,
    "amax": lambda bench: _inputs(bench, amax_tests.law_of(bench)),
    "range": lambda bench: _inputs(bench, range_tests.law_of(bench)),
    "row_scale": _row_scale,
    "mac": _mac,
    "mac_float": _mac_float,
    "lfsr": lambda bench: _clocked(bench, lfsr_tests.LfsrRegister),
    "row_sum": lambda bench: _clocked(bench, row_sum_tests.SumRegister),
    "group_registers": lambda bench: _clocked(bench, group_registers_tests.Registers),
    "mac_array": _mac_array,
    "hadamard": _hadamard,
    "hadamard_outer": _hadamard_outer,
    "quantizer": _quantizer,
    "wide_quantizer": _wide_quantizer,
    "zero_point": _zero_point,
    "zero_correction": _zero_correction,
    "epilogue": _epilogue,
    "wide_epilogue": _wide_epilogue,
    "dot_mx": lambda bench: _dot(bench, dot_mx),
    "dot_nvfp4": lambda bench: _dot(bench, dot_nvfp4),
    "fifo": _queue,
    "skid": _queue,
}
