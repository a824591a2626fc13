"""The accelerator behind its buses (`fpsim_top`): register map, layout of the streams, what a start checks.

What a layer computes is `fpsim.array.reference`; here is how it is asked for. A host writes the registers
and the signs, sets start, streams rows (`row_beats`) and weights (`weight_beats`), and takes results
(`result_beats`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from fpsim.arith.decode import decode
from fpsim.arith.integer_quantizer import integer_value
from fpsim.arith.passes import passes
from fpsim.array.config import NIBBLE_BITS, OPERAND_FORMATS, WIDE_FORMATS, ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.formats import get

ID = 0x4650534D  # "FPSM"
VERSION = 0x00020000
SIGN_WINDOW = 0x800  # sign i in bit i % 32 of the word at SIGN_WINDOW + 4 * (i // 32)
START, SOFT_RESET = 1, 2  # bits of Register.CONTROL
BUSY, DONE, ERROR_AT = 1, 2, 8  # bits of Register.STATUS, and where its error code begins
ROTATE, STATIC, A_ZERO, B_ZERO = 1, 2, 4, 8  # bits of Register.RECIPE
FORMATS = (*OPERAND_FORMATS, *WIDE_FORMATS)  # by selector
B_FORMAT_AT = 4  # of Register.FORMATS, where the weights' selector begins
LARGEST_DIMENSION = 65_535  # of M and N: the counters have 16 bits
SCALE_BITS, BIAS_AT, BIAS_BITS = 19, 24, 16  # of a beat with a column's scale and bias
ZERO_BITS, SUM_AT, SUM_BITS = 16, 16, 21  # of a beat with a column's zero point and sum of codes
OUTER_ORDERS = (1, 12, 36)  # by base
BASE_AT, BLOCKS_AT = 8, 16  # of Register.OUTER, above the points
LARGEST_POINTS = 64
ZEROS_ACC_BITS = 38  # widest accumulators with zero points: the epilogue takes 40 bits
ZEROS_DEPTH = 8191  # longest rows with zero points
CODE_BITS, FP16_BITS, WORD_BITS = 4, 16, 32


class Register(IntEnum):
    """Byte addresses of the registers, 32 bits each."""

    ID = 0x00
    VERSION = 0x04
    BUILD0 = 0x08
    BUILD1 = 0x0C
    CONTROL = 0x10
    STATUS = 0x14
    CYCLES = 0x18
    M = 0x1C
    N = 0x20
    K = 0x24
    FORMATS = 0x28
    RECIPE = 0x2C
    STATIC_EXP = 0x30
    STATIC_AMP = 0x34
    STATIC_ZERO = 0x38
    OUTER = 0x3C


class Error(IntEnum):
    """Error codes of the status register. Those of the data stop a layer until a soft reset."""

    NONE = 0
    M = 1
    N = 2
    K = 3
    ROTATION = 4
    A_FORMAT = 5
    B_FORMAT = 6
    STATIC_EXP = 7
    STATIC_AMP = 8
    BUSY = 9
    X_LAST = 10
    X_SPECIAL = 11
    W_LAST = 12
    A_ZERO = 13
    B_ZERO = 14
    OUTER = 15


DATA_ERRORS = (Error.X_LAST, Error.X_SPECIAL, Error.W_LAST)


@dataclass(frozen=True)
class TopConfig:
    """The accelerator with its memories.

    Attributes:
        array: units and shape of the array.
        k_max: longest row that the memories hold: a multiple of 32 and of hadamard_n, at least two beats,
            at most 16384 (the sign window).
        outer: whether rotations across beats are built in.
    """

    array: ArrayConfig
    k_max: int = 4608
    outer: bool = True

    def __post_init__(self) -> None:
        n = self.array.unit.hadamard_n
        if self.k_max % 32 or self.k_max % n or not 2 * n <= self.k_max <= 16384:
            raise ValueError(
                f"k_max={self.k_max}: expected a multiple of 32 and of hadamard_n={n}, {2 * n} to 16384"
            )

    def rtl_parameters(self) -> dict[str, int]:
        """The SystemVerilog parameters of `fpsim_top`."""
        return {**self.array.rtl_parameters(), "KMax": self.k_max, "Outer": int(self.outer)}

    @property
    def zeros(self) -> bool:
        """Whether zero points are built in: with int4, in accumulators that wrap, of at most 38 bits."""
        return self.array.unit.wide and self.array.unit.acc_bits <= ZEROS_ACC_BITS

    @property
    def weight_beat_bits(self) -> int:
        """Bits of a beat of w: a column's scale and bias, or the codes of one k, in whole bytes."""
        return 8 * -(-max(BIAS_AT + BIAS_BITS, CODE_BITS * self.array.cols) // 8)

    def build_words(self) -> tuple[int, int]:
        """What the two build registers read as."""
        p = self.rtl_parameters()
        return (
            p["Rows"]
            | p["Cols"] << 8
            | p["HadamardN"] << 16
            | p["Formats"] << 24
            | p["Saturate"] << 28
            | p["Overlap"] << 29
            | p["Outer"] << 30,
            p["AccW"] | p["GuardBits"] << 8 | p["KMax"] << 16,
        )


@dataclass(frozen=True)
class Setup:
    """What the configuration registers hold: raw 32-bit words, legal or not.

    Attributes:
        m, n, k: rows, output channels, input channels.
        a_fmt, b_fmt: selectors of the activations' and the weights' format (`FORMATS`), 0 to 7.
        rotate: whether rows are rotated on the way in.
        static: whether the scale is that of the two registers, not found from each row.
        exp, amp: these registers.
        a_zero, b_zero: whether rows, weights have zero points.
        zero: register of the rows' zero point with a static scale, in two's complement.
        points, base, blocks: of rotations across beats: order of Sylvester's matrix, 1: 12 and 2: 36 times as
            many beats, blocks of a row; points 0 and base 0: none.
    """

    m: int
    n: int
    k: int
    a_fmt: int = 0
    b_fmt: int = 0
    rotate: bool = False
    static: bool = False
    exp: int = 0
    amp: int = 0
    a_zero: bool = False
    b_zero: bool = False
    zero: int = 0
    points: int = 0
    base: int = 0
    blocks: int = 0

    @property
    def order(self) -> int:
        """Beats of a rotation's block."""
        return OUTER_ORDERS[self.base] * max(self.points, 1)

    @classmethod
    def of(cls, program: LayerProgram, rows: int, config: TopConfig) -> Setup:
        """The registers for a layer and a number of rows.

        Raises:
            ValueError: a rotation in blocks that this accelerator has no way to make.
        """
        n, k = program.shape
        static = program.static
        return cls(
            rows,
            n,
            k,
            FORMATS.index(program.act_fmt),
            FORMATS.index(program.weight_fmt),
            program.signs is not None,
            static is not None,
            0 if static is None else static.exp,
            0 if static is None else static.amp,
            program.act_zero is not None,
            program.weight_zero is not None,
            program.act_zero % (1 << WORD_BITS) if isinstance(program.act_zero, int) else 0,
            *_outer(program, config),
        )

    def writes(self) -> list[tuple[Register, int]]:
        """Register writes that set it up."""
        return [
            (Register.M, self.m),
            (Register.N, self.n),
            (Register.K, self.k),
            (Register.FORMATS, self.a_fmt | self.b_fmt << B_FORMAT_AT),
            (
                Register.RECIPE,
                ROTATE * self.rotate | STATIC * self.static | A_ZERO * self.a_zero | B_ZERO * self.b_zero,
            ),
            (Register.STATIC_EXP, self.exp),
            (Register.STATIC_AMP, self.amp),
            (Register.STATIC_ZERO, self.zero),
            (Register.OUTER, self.points | self.base << BASE_AT | self.blocks << BLOCKS_AT),
        ]


def check(config: TopConfig, setup: Setup) -> Error:
    """What a start says to these registers: the first thing that is not legal."""
    unit = config.array.unit
    n = unit.hadamard_n
    built_in = [FORMATS.index(name) for name in (*unit.formats, *(WIDE_FORMATS if unit.wide else ()))]
    across = bool(setup.points or setup.base)
    powers = [1 << e for e in range(LARGEST_POINTS.bit_length())]
    outer = config.outer and setup.base < len(OUTER_ORDERS) and setup.points in (0, *powers)
    block = n * (setup.order if setup.base < len(OUTER_ORDERS) else max(setup.points, 1))
    whole = setup.k == block * setup.blocks if across else setup.k % n == 0
    amp_end = (block if setup.rotate else 1) * (1 << (unit.align_bits - (not setup.a_zero)))
    bits = bin(setup.amp).removeprefix("0b").rstrip("0")
    zeros = config.zeros and setup.k <= ZEROS_DEPTH
    verdicts = (
        (1 <= setup.m <= LARGEST_DIMENSION, Error.M),
        (1 <= setup.n <= LARGEST_DIMENSION, Error.N),
        (1 <= setup.k <= config.k_max, Error.K),
        (not setup.rotate or whole, Error.ROTATION),
        (setup.a_fmt in built_in, Error.A_FORMAT),
        (setup.b_fmt in built_in, Error.B_FORMAT),
        (not setup.static or 1 <= setup.exp <= 30, Error.STATIC_EXP),
        (not setup.static or (0 < setup.amp < amp_end and len(bits) <= 11), Error.STATIC_AMP),
        (not setup.a_zero or (zeros and _is_zero_point(setup)), Error.A_ZERO),
        (not setup.b_zero or (zeros and _is_integer(setup.b_fmt)), Error.B_ZERO),
        (not setup.rotate or not across or outer, Error.OUTER),
    )
    return next((error for legal, error in verdicts if not legal), Error.NONE)


def _outer(program: LayerProgram, config: TopConfig) -> tuple[int, int, int]:
    """Points, base and blocks of a layer's rotation; 0, 0, 0 where it stays within the beats."""
    lanes = config.array.unit.hadamard_n
    n = program.rotation(config.array.unit)
    if n is None or n == lanes:
        return 0, 0, 0
    k = program.shape[1]
    for base, order in enumerate(OUTER_ORDERS):
        points = n // (lanes * order)
        if n == lanes * order * points and points & (points - 1) == 0 and points <= LARGEST_POINTS:
            return points if points > 1 else 0, base, k // n
    raise ValueError(
        f"{program.name}: hadamard_n={n}: expected {lanes}, or 1, 12 or 36 times 2^k of that, k up to 6"
    )


def _is_integer(selector: int) -> bool:
    return selector < len(FORMATS) and FORMATS[selector].startswith("int")


def _is_zero_point(setup: Setup) -> bool:
    """Whether rows can have zero points: of an integer format; the static one is one of its codes."""
    if not _is_integer(setup.a_fmt):
        return False
    codes = get(FORMATS[setup.a_fmt]).n_codes
    return not setup.static or (setup.zero + codes // 2) % (1 << WORD_BITS) < codes


def sign_words(signs: Sequence[int]) -> list[int]:
    """Words of the sign window: bit i % 32 of word i // 32 is 1 where element i is negated."""
    words = [0] * -(-len(signs) // WORD_BITS)
    for i, sign in enumerate(signs):
        words[i // WORD_BITS] |= (sign < 0) << i % WORD_BITS
    return words


def row_beats(config: TopConfig, row: Sequence[int], padding: int = 0) -> list[int]:
    """One row of x: ⌈K / hadamard_n⌉ beats, element 0 in the lowest 16 bits, tlast on the last beat.

    Args:
        config: the accelerator.
        row: FP16 bits (K).
        padding: bits behind the last element; they do not count.
    """
    lanes = config.array.unit.hadamard_n
    missing = -len(row) % lanes
    whole = [*row, *((padding >> FP16_BITS * i) & 0xFFFF for i in range(missing))]
    return [packed(whole[at : at + lanes], FP16_BITS) for at in range(0, len(whole), lanes)]


def weight_beats(
    config: TopConfig, program: LayerProgram, first_col: int, padding: Sequence[int] | None = None
) -> list[int]:
    """One tile of w: a beat for each of C columns, with zero points another, then P passes of one for each k.

    tlast is on the last beat. Column beat: bits 18:0 the column scale (TF32), 39:24 the bias (FP16). In
    layers with zero points, of either side, after these: bits 15:0 the zero point, 36:16 the sum of the
    column's codes. Beat of k: bits 4c+3:4c the code of column c, of int6 and int8 the nibble of the pass in
    two's complement of 8 bits. All other bits, and columns beyond N, do not count.

    Args:
        config: the accelerator.
        program: the layer.
        first_col: first output channel of the tile.
        padding: a word for each beat (`head_beats` + P · K) whose bits fill what does not count; None: zeros.
    """
    cols, (n, k) = config.array.cols, program.shape
    real = range(first_col, min(first_col + cols, n))
    order = passes(program.act_fmt, program.weight_fmt)
    zeros = program.act_zero is not None or program.weight_zero is not None
    heads = [_scale_beat(program, c) for c in real]
    if zeros:
        heads += [(0, 0)] * (cols - len(real)) + [_zero_beat(program, c) for c in real]
    ends = head_beats(config, zeros=zeros)
    padding = [0] * (ends + len(order) * k) if padding is None else padding
    beats = [word & ~mask | bits for word, (mask, bits) in zip(padding, heads, strict=False)]
    beats += padding[len(beats) : ends]
    code_mask = (1 << CODE_BITS * len(real)) - 1
    for _, nibble in order:
        for step in range(k):
            codes = [_nibble(int(program.weight_codes[c, step]), program.weight_fmt, nibble) for c in real]
            beats.append(padding[len(beats)] & ~code_mask | packed(codes, CODE_BITS))
    return [word & ((1 << config.weight_beat_bits) - 1) for word in beats]


def head_beats(config: TopConfig, *, zeros: bool) -> int:
    """Beats of a tile of w before its codes; `zeros`: the layer has zero points, on either side."""
    return config.array.cols * (2 if zeros else 1)


def _scale_beat(program: LayerProgram, col: int) -> tuple[int, int]:
    """Scale and bias of a column: which bits count, the bits."""
    mask = (1 << SCALE_BITS) - 1 | ((1 << BIAS_BITS) - 1) << BIAS_AT
    return mask, int(program.col_scale[col]) | int(program.bias[col]) << BIAS_AT


def _zero_beat(program: LayerProgram, col: int) -> tuple[int, int]:
    """Zero point and sum of codes of a column, in two's complement: which bits count, the bits.

    The zero point counts where weights have one, the sum where rows have one.
    """
    zero_mask, sum_mask = (1 << ZERO_BITS) - 1, (1 << SUM_BITS) - 1
    mask = bits = 0
    if program.weight_zero is not None:
        mask |= zero_mask
        bits |= int(program.weight_zero[col]) & zero_mask
    if program.act_zero is not None:
        total = sum(_value(int(code), program.weight_fmt) for code in program.weight_codes[col])
        mask |= sum_mask << SUM_AT
        bits |= (total & sum_mask) << SUM_AT
    return mask, bits


def _value(code: int, fmt: str) -> int:
    return decode(code, fmt).value if fmt in OPERAND_FORMATS else integer_value(code, fmt)


def _nibble(code: int, fmt: str, nibble: int) -> int:
    """Of a wide code the high (0) or the low nibble (1); other codes are their own."""
    if fmt not in WIDE_FORMATS:
        return code
    high, low = divmod(integer_value(code, fmt) & 0xFF, 1 << NIBBLE_BITS)
    return low if nibble else high


def packed(lanes: Sequence[int], bits: int) -> int:
    """One word out of lanes, the first one lowest."""
    word = 0
    for index, lane in enumerate(lanes):
        word |= int(lane) << index * bits
    return word
