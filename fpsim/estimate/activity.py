"""How much moves while the machine runs a layer: bit transitions of its registers and buses, on real data.

Everything is in the order in which the RTL sees it (`fpsim_top`): rows one after the other through the input
path, then for each R rows all groups of C output channels, k after k, each sum in its own element. Counted
are data: control, enables and what the host keeps are not. The array starts from registers that hold 0; a
bus or a register of the input path starts with its first word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import NIBBLE_BITS, ArrayConfig, UnitConfig
from fpsim.array.cycles import drain_cycles, layer_cycles
from fpsim.array.program import LayerProgram
from fpsim.array.protocol import Program
from fpsim.array.top import BIAS_AT, TopConfig
from fpsim.dit.diffusion import Images, ddim_sample
from fpsim.kernels.align import align
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.quantizer import amax, quantizer
from fpsim.kernels.row_scale import amplitude
from fpsim.kernels.toggles import array_toggles, hadamard_toggles, word_toggles
from fpsim.quant.execute import observe_executed, on_machine
from fpsim.quant.recipe import QuantizedModel
from fpsim.quant.scales import fp16_bits

ARRAY = ("a_skew", "b_skew", "a_operand", "b_operand", "product", "carry", "acc", "out")
PATH = ("butterfly", "quantizer")
SRAM = ("x_sram", "row_sram", "code_sram", "a_sram", "b_sram", "y_sram")
DRAM = ("w_dram",)
A_BITS, B_BITS = 10, 8  # of an operand register: decoded code, for activations with the operation
A_LINE_BITS, B_LINE_BITS = 7, 5  # of a word in a delay line: code, low nibble, for activations the operation
PRODUCT_BITS, FP16_BITS = 14, 16
BYTE_BITS = 8
OUTER_POINTS = 64  # widest Sylvester factor across beats (rtl/fpsim_hadamard_outer.sv)

Ints = NDArray[np.int64]
Visit = Callable[[str, int, NDArray[np.uint16], Program], None]


@dataclass(frozen=True, eq=False)
class LayerActivity:
    """What moved while the machine ran a layer once.

    Attributes:
        name: the layer.
        act_fmt, weight_fmt: operand formats.
        m, n, k: rows, output channels, inner dimension.
        rotated: whether rows are rotated on the way in.
        cycles: of the array.
        elements: processing elements, R · C.
        toggles: bit transitions, the names of `ARRAY`, `PATH`, `SRAM` and `DRAM`. A rotation that
            this configuration's Hadamard engine cannot do has no `butterfly`, a static scale no `row_sram`.
        bits: what `toggles` would be if every bit changed at every step: bits times cycles (out: tiles; path
            and buses: words).
        op_toggles: transitions of the operation, all elements together.
        a_steps, b_steps: int64 (16, 16), from code to code at the elements' operand registers, R · C · cycles
            of them with those at rest.
    """

    name: str
    act_fmt: str
    weight_fmt: str
    m: int
    n: int
    k: int
    rotated: bool
    cycles: int
    elements: int
    toggles: dict[str, int]
    bits: dict[str, int]
    op_toggles: int
    a_steps: Ints
    b_steps: Ints

    def rate(self, *names: str) -> float:
        """Share of the bits of these registers, together, that changes from one step to the next."""
        known = [name for name in names if name in self.toggles]
        bits = sum(self.bits[name] for name in known)
        return sum(self.toggles[name] for name in known) / bits if bits else 0.0


@dataclass(frozen=True, eq=False)
class InputRows:
    """Rows on their way to the array.

    Attributes:
        aligned: int32 (M, K), negated where they are rotated and their sign is -1.
        rotated: int32 (M, K), what the quantizer takes.
        amps: int32 (M,), amplitudes.
        codes: uint8 (M, K).
    """

    aligned: NDArray[np.int32]
    rotated: NDArray[np.int32]
    amps: NDArray[np.int32]
    codes: NDArray[np.uint8]


def input_rows(program: Program, unit: UnitConfig, x_bits: NDArray[np.uint16]) -> InputRows:
    """Take FP16 rows (M, K) to codes, with what they are in between.

    Raises:
        ValueError: no layer of 4-bit operands without zero points, or an Inf or NaN in a row.
    """
    checked = countable(program, unit)
    static = checked.static
    aligned, _, special = align(x_bits, unit.guard_bits, static.exp if static else None)
    if special.any():
        raise ValueError(f"{checked.name}: x has an Inf or a NaN; the machine refuses such rows")
    rotated, n = aligned, checked.rotation(unit)
    if checked.signs is not None and n is not None:
        aligned = aligned * checked.signs.astype(np.int32)
        rotated = hadamard_blocks(aligned, n)
    amps = np.full(len(x_bits), static.amp, np.int32) if static else amplitude(amax(rotated))
    return InputRows(aligned, rotated, amps, quantizer(rotated, amps, checked.act_fmt))


def countable(program: Program, unit: UnitConfig) -> LayerProgram:
    """The program, if its activity can be counted.

    Raises:
        ValueError: it is not one of the array's own, its operands take several passes or have zero points, or
            the accumulators saturate.
    """
    if not isinstance(program, LayerProgram):
        raise ValueError(f"{program.name}: a {type(program).__name__}: expected a layer of the array")
    widths = program.operand_bits
    if (widths.activation, widths.weight) != (NIBBLE_BITS, NIBBLE_BITS):
        raise ValueError(f"{program.name}: {program.act_fmt} x {program.weight_fmt}: expected 4-bit operands")
    if program.act_zero is not None or program.weight_zero is not None:
        raise ValueError(f"{program.name}: zero points: expected symmetric operands")
    if unit.overflow != "wrap":
        raise ValueError(f"overflow={unit.overflow!r}: expected accumulators that wrap")
    return program


def layer_activity(program: Program, config: ArrayConfig, x_bits: NDArray[np.uint16]) -> LayerActivity:
    """Count a layer on FP16 rows.

    Args:
        program: a layer of 4-bit operands.
        config: the machine.
        x_bits: uint16 (M, K), FP16 bits, finite.

    Raises:
        ValueError: see `input_rows`.
    """
    unit, layer = config.unit, countable(program, config.unit)
    rows = input_rows(layer, unit, x_bits)
    (n, k), m = layer.shape, len(x_bits)
    array = array_toggles(
        rows.codes, layer.weight_codes, layer.act_fmt, layer.weight_fmt, rows=config.rows, cols=config.cols,
        acc_bits=unit.acc_bits, drain=drain_cycles(config), overlap=unit.overlap,
    )  # fmt: skip
    cycles, elements = layer_cycles(config, m, n, k), config.rows * config.cols
    tiles = -(-m // config.rows) * -(-n // config.cols)
    counted = dict(array.toggles)
    a_codes, b_codes = counted.pop("a_codes"), counted.pop("b_codes")
    bits = {
        "a_skew": config.rows * (config.rows - 1) // 2 * A_LINE_BITS * cycles,
        "b_skew": config.cols * (config.cols - 1) // 2 * B_LINE_BITS * cycles,
        "a_operand": elements * A_BITS * cycles,
        "b_operand": elements * B_BITS * cycles,
        "product": elements * PRODUCT_BITS * cycles,
        "carry": elements * unit.acc_bits * cycles,
        "acc": elements * unit.acc_bits * cycles,
        "out": elements * unit.acc_bits * tiles,
    }
    buses = _path_words(layer, unit, x_bits, rows)
    buses["y_sram"] = _result_words(layer.load(unit)(x_bits), config)
    buses["w_dram"] = weight_words(layer, config)
    for name, words in buses.items():
        counted[name] = word_toggles(words.values)
        bits[name] = words.bits * (len(words.values) - 1)
    counted |= {"a_sram": a_codes, "b_sram": b_codes}
    bits |= {
        "a_sram": config.rows * NIBBLE_BITS * (tiles * k - 1),
        "b_sram": config.cols * NIBBLE_BITS * (tiles * k - 1),
    }
    if _in_engine(layer.rotation(unit), unit):
        counted["butterfly"], bits["butterfly"] = engine_toggles(rows.aligned, layer.signs is not None, unit)
    return LayerActivity(
        name=layer.name, act_fmt=layer.act_fmt, weight_fmt=layer.weight_fmt, m=m, n=n, k=k,
        rotated=layer.signs is not None, cycles=cycles,
        elements=elements, toggles=counted, bits=bits, op_toggles=array.op_toggles * elements,
        a_steps=_with_rest(array.a_steps, elements * cycles),
        b_steps=_with_rest(array.b_steps, elements * cycles),
    )  # fmt: skip


def watch_layers(
    quantized: QuantizedModel,
    config: ArrayConfig,
    noise: Images,
    labels: Images,
    visit: Visit,
    *,
    steps: int = 20,
) -> None:
    """Sample a quantized model on the machine and see what every programmed layer takes, while it does.

    Args:
        quantized: the model.
        config: the machine.
        noise: float32 (B, C, S, S); all rows of the B images go through a layer together.
        labels: int64 (B,).
        visit: called with (layer, timestep, FP16 rows (M, K), program), in the order of execution.
        steps: DDIM steps.
    """
    executed = on_machine(quantized, config)
    current = 0

    def see(name: str, x: Images) -> None:
        phase = quantized.phase_at(current)
        program = next((p for p in phase.programs if p.name == name), None)
        if program is not None:
            rows = x.detach().reshape(-1, x.shape[-1]).numpy()
            factor = phase.input_scale.get(name)
            visit(
                name, current, fp16_bits(rows if factor is None else rows * factor, f"{name}: input"), program
            )

    def eps(x: Images, t: Images, y: Images) -> Images:
        nonlocal current
        current = int(t[0])
        result: Images = executed(x, t, y)
        return result

    with observe_executed(executed, see):
        ddim_sample(eps, noise, labels, steps=steps, batch=len(noise))


def model_activity(
    quantized: QuantizedModel, config: ArrayConfig, noise: Images, labels: Images, *, steps: int = 20
) -> dict[tuple[str, int], LayerActivity]:
    """Count every layer at every timestep of a sampling on the machine.

    Args:
        quantized, config, noise, labels, steps: as in `watch_layers`.

    Returns:
        (layer, timestep) to its activity, in the order of execution.

    Raises:
        ValueError: a layer that `countable` refuses.
    """
    found: dict[tuple[str, int], LayerActivity] = {}

    def visit(name: str, timestep: int, x_bits: NDArray[np.uint16], program: Program) -> None:
        found[name, timestep] = layer_activity(program, config, x_bits)

    watch_layers(quantized, config, noise, labels, visit, steps=steps)
    return found


@dataclass(frozen=True, eq=False)
class Words:
    """Words of a bus in their order, time first, and how many bits wide the bus is."""

    values: NDArray[Any]
    bits: int


def _path_words(
    layer: LayerProgram, unit: UnitConfig, x_bits: NDArray[np.uint16], rows: InputRows
) -> dict[str, Words]:
    """Buses and code register of the input path: beats of `hadamard_n` elements, row after row."""
    lanes = unit.hadamard_n
    beats = _beats(x_bits, lanes)
    looks = 1 if layer.static else 2  # the first look at a row finds its exponent
    per_row = beats.reshape(len(x_bits), -1, lanes)
    found = {
        "x_sram": Words(np.repeat(per_row[:, None], looks, axis=1).reshape(-1, lanes), lanes * FP16_BITS),
        "quantizer": Words(_beats(rows.codes, lanes), lanes * NIBBLE_BITS),
    }
    found["code_sram"] = found["quantizer"]  # written as they leave the register
    if not layer.static:
        n = layer.rotation(unit) or 1
        width = unit.align_bits + (n - 1).bit_length()
        values = _beats(rows.rotated, lanes) & np.int32((1 << min(width, 31)) - 1)
        found["row_sram"] = Words(values, lanes * width)
    return found


def _beats(rows: NDArray[Any], lanes: int) -> NDArray[Any]:
    """(M, K) as (M · ⌈K / lanes⌉, lanes), filled up with zeros."""
    return np.pad(rows, ((0, 0), (0, -rows.shape[1] % lanes))).reshape(-1, lanes)


def _result_words(y: NDArray[np.uint16], config: ArrayConfig) -> Words:
    """Rows of tiles as they leave: C results at a time."""
    groups = -(-y.shape[1] // config.cols)
    padded = np.pad(y, ((0, 0), (0, groups * config.cols - y.shape[1]))).reshape(len(y), groups, config.cols)
    tiles = [
        padded[at : at + config.rows].transpose(1, 0, 2).reshape(-1, config.cols)
        for at in range(0, len(y), config.rows)
    ]
    return Words(np.concatenate(tiles), config.cols * FP16_BITS)


def weight_words(layer: LayerProgram, config: ArrayConfig) -> Words:
    """The stream w of a layer, once: for each tile of columns their scales and biases, then the codes.

    The beats of `fpsim.array.top.weight_beats`, as bytes.
    """
    cols, (n, k) = config.cols, layer.shape
    width = TopConfig(config).weight_beat_bits
    groups = -(-n // cols)
    heads = np.zeros(groups * cols, np.uint64)
    heads[:n] = layer.col_scale.astype(np.uint64) | layer.bias.astype(np.uint64) << np.uint64(BIAS_AT)
    codes = np.zeros((groups * cols, k), np.uint8)
    codes[:n] = layer.weight_codes
    beats = np.zeros((groups, cols + k, width // BYTE_BITS), np.uint8)
    head_bytes = min(beats.shape[2], BYTE_BITS)
    beats[:, :cols, :head_bytes] = heads.view(np.uint8).reshape(groups, cols, 8)[..., :head_bytes]
    by_k = codes.reshape(groups, cols, k).transpose(0, 2, 1)
    by_k = np.pad(by_k, ((0, 0), (0, 0), (0, cols % 2)))
    packed = by_k[..., ::2] | by_k[..., 1::2] << NIBBLE_BITS
    beats[:, cols:, : packed.shape[2]] = packed
    return Words(beats.reshape(-1, beats.shape[2]), width)


def _in_engine(n: int | None, unit: UnitConfig) -> bool:
    """Whether blocks are whole beats of the engine, which then transforms the beats in themselves."""
    if n is None:
        return True
    points, rest = divmod(n, unit.hadamard_n)
    odd = points // (points & -points) if points else 0
    two = points // odd if odd else 0
    return not rest and ((odd == 1 and two <= OUTER_POINTS) or (odd in (3, 9) and two >= 4))


def engine_toggles(negated: NDArray[np.int32], transform: bool, unit: UnitConfig) -> tuple[int, int]:
    """Transitions of the Hadamard engine's registers, and their bits times beats but the first.

    Args:
        negated: aligned rows (M, K), negated where they are rotated and their sign is -1.
        transform: whether the engine rotates them, or passes them.
        unit: the machine.
    """
    lanes, stages = unit.hadamard_n, unit.hadamard_stages
    beats = _beats(negated, lanes).astype(np.int32)
    toggles = hadamard_toggles(beats, unit.align_bits, transform=transform, cut=unit.hadamard_cut)
    at = [s for s in range(stages) if s % unit.hadamard_cut == unit.hadamard_cut - 1 or s == stages - 1]
    bits = lanes * sum(unit.align_bits + s + 1 for s in at)
    return toggles, bits * (len(beats) - 1)


def _with_rest(steps: Ints, total: int) -> Ints:
    """All transitions of all operand registers: those not counted rest at code 0."""
    full = steps.copy()
    full[0, 0] += max(total - int(steps.sum()), 0)
    return full
