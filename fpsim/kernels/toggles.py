"""Bit transitions of the machine's registers and buses while a layer runs, counted without walking cycles.

A row's codes pass every element of its row, so what one register sees is counted once and multiplied; only
sums, products and carries are followed element by element, term by term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from fpsim.formats import Format, get
from fpsim.kernels import _check
from fpsim.kernels.decode import unit_table

PRODUCT_MASK = (1 << 14) - 1  # two's complement, up to 4096 in magnitude
CODES = 16

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ArrayToggles:
    """Transitions in the MAC array while a layer runs.

    Attributes:
        toggles: by register, wire or bus, the names of `fpsim.arith.toggles.array_toggles`.
        op_toggles: transitions of the operation, of one register that it passes.
        a_steps, b_steps: int64 (16, 16), how often the operand register of an element went from code to code,
            all elements and all their transitions together; a register at rest is not in them.
    """

    toggles: dict[str, int]
    op_toggles: int
    a_steps: Ints
    b_steps: Ints


@njit(cache=True, nogil=True)
def _ones(x: int) -> int:
    """Bits set in a 64-bit word, by halves (Hacker's Delight, 5-1)."""
    v = np.uint64(x)
    v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
    v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
    v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    found: int = int((v * np.uint64(0x0101010101010101)) >> np.uint64(56))
    return found


@njit(cache=True, nogil=True)
def _words(words: NDArray[np.uint64]) -> int:
    total = 0
    for t in range(1, words.shape[0]):
        for i in range(words.shape[1]):
            total += _ones(words[t, i] ^ words[t - 1, i])
    return total


def word_toggles(words: NDArray[Any]) -> int:
    """Bits that differ between each word of a bus and the next.

    Args:
        words: (T, ...) of any integers; a word is all that lies behind the first axis.

    Raises:
        ValueError: not integers, or no axis of time.
    """
    if not isinstance(words, np.ndarray) or words.dtype.kind not in "iu" or words.ndim < 1:
        raise ValueError("words: expected an array of integers, time first")
    raw = np.ascontiguousarray(words).reshape(len(words), -1).view(np.uint8)
    padded = np.zeros((len(raw), -(-raw.shape[1] // 8) * 8), np.uint8)
    padded[:, : raw.shape[1]] = raw
    return int(_words(padded.view(np.uint64)))


@njit(cache=True, nogil=True)
def _stages(beats: NDArray[np.int64], transform: bool, in_bits: int, registers: NDArray[np.bool_]) -> int:
    """Butterfly stages in place; at each register what differs from the beat before."""
    n = beats.shape[1]
    before = np.zeros((registers.size, n), np.int64)
    row = np.empty(n, np.int64)
    total = 0
    for t in range(beats.shape[0]):
        row[:] = beats[t]
        for stage in range(registers.size):
            distance = 1 << stage
            if transform:
                for base in range(0, n, 2 * distance):
                    for j in range(base, base + distance):
                        a, b = row[j], row[j + distance]
                        row[j] = a + b
                        row[j + distance] = a - b
            if registers[stage]:
                mask = (np.int64(1) << (in_bits + stage + 1)) - 1
                for i in range(n):
                    if t > 0:
                        total += _ones((row[i] ^ before[stage, i]) & mask)
                    before[stage, i] = row[i]
    return total


def hadamard_toggles(beats: NDArray[np.int32], in_bits: int, *, transform: bool = True, cut: int = 1) -> int:
    """Transitions of the Hadamard engine's registers, from the first beat on.

    Args:
        beats: (T, n), n a power of two from 2 on: aligned integers, already negated where their sign is -1.
        in_bits: width of an aligned integer.
        transform: False: beats pass unchanged.
        cut: stages from register to register.

    Raises:
        ValueError: an argument outside of the above.
    """
    checked = _check.array("beats", beats, ("int32", "int64"), 2).astype(np.int64)
    n = checked.shape[1]
    if n < 2 or n & (n - 1):
        raise ValueError(f"beats.shape={checked.shape}: expected a power of two of lanes, from 2 on")
    stages = n.bit_length() - 1
    step = _check.integer("cut", cut, 1, stages)
    registers = np.array([s % step == step - 1 or s == stages - 1 for s in range(stages)])
    return int(_stages(checked, transform, _check.integer("in_bits", in_bits, 2, 32), registers))


@njit(cache=True, nogil=True)
def _lane_steps(
    codes: NDArray[np.uint8], lanes: int, repeats: int, inner: bool, drain: int, overlap: bool,
    steps: NDArray[np.int64], bus: NDArray[np.int64],
) -> None:  # fmt: skip
    """Transitions of the codes on the lanes of one side over all tiles, zeros between tiles that wait.

    inner: the side's groups change with every tile (weights) instead of staying for `repeats` tiles.
    steps: int64 (16, 16, 2): of the array's inputs by lane weight 1 and by lane number (the delay lines).
    """
    groups = (codes.shape[0] + lanes - 1) // lanes
    depth = codes.shape[1]
    for lane in range(lanes):
        now, held = 0, -1
        for tile in range(groups * repeats):
            group = tile % groups if inner else tile // repeats
            row = group * lanes + lane
            waits = (drain > depth and tile > 1) or (not overlap and tile > 0)
            if waits:
                steps[now, 0, 0] += 1
                steps[now, 0, 1] += lane
                now = 0
            for k in range(depth):
                code = int(codes[row, k]) if row < codes.shape[0] else 0
                steps[now, code, 0] += 1
                steps[now, code, 1] += lane
                now = code
                if held >= 0:
                    bus[0] += _ones(held ^ code)
                held = code
        steps[now, 0, 0] += 1
        steps[now, 0, 1] += lane


@njit(cache=True, nogil=True)
def _sums(
    a: NDArray[np.int64], b_by_k: NDArray[np.int64], rows: int, cols: int, acc_mask: int, drain: int,
    overlap: bool, totals: NDArray[np.int64],
) -> None:  # fmt: skip
    """Products, carries, accumulators, output registers; a (groups * rows, K), b_by_k (K, groups * cols)."""
    depth = a.shape[1]
    row_groups, col_groups = a.shape[0] // rows, b_by_k.shape[1] // cols
    acc = np.zeros((rows, cols), np.int64)
    out = np.zeros((rows, cols), np.int64)
    product = np.zeros((rows, cols), np.int64)
    carry = np.zeros((rows, cols), np.int64)
    for tile in range(row_groups * col_groups):
        first_row, first_col = tile // col_groups * rows, tile % col_groups * cols
        waits = (drain > depth and tile > 1) or (not overlap and tile > 0)
        for r in range(rows):
            sums, products, carries = acc[r], product[r], carry[r]
            n_product = n_carry = n_acc = 0
            if waits:
                for c in range(cols):
                    n_product += _ones(products[c])
                    n_carry += _ones(carries[c])
                    products[c] = 0
                    carries[c] = 0
            if overlap and tile > 0:
                for c in range(cols):
                    totals[3] += _ones(out[r, c] ^ sums[c])
                    out[r, c] = sums[c]
            for k in range(depth):
                x = a[first_row + r, k]
                w = b_by_k[k, first_col : first_col + cols]
                keep = np.int64(0) if k == 0 else acc_mask
                for c in range(cols):
                    wide = x * w[c]
                    p = wide & PRODUCT_MASK
                    base = sums[c] & keep
                    total = (base + wide) & acc_mask
                    chain = (base ^ wide ^ total) & acc_mask
                    n_product += _ones(p ^ products[c])
                    n_carry += _ones(chain ^ carries[c])
                    n_acc += _ones(total ^ sums[c])
                    products[c] = p
                    carries[c] = chain
                    sums[c] = total
            totals[0] += n_product
            totals[1] += n_carry
            totals[2] += n_acc
    for r in range(rows):
        for c in range(cols):
            totals[0] += _ones(product[r, c])
            totals[1] += _ones(carry[r, c])
            if overlap:
                totals[2] += _ones(acc[r, c])
                totals[3] += _ones(out[r, c] ^ acc[r, c])


def operand_words(fmt: Format) -> Ints:
    """{neg, sig, shift} of every code, as the decoders of the array give it (rtl/README.md, "decode")."""
    codes = np.arange(CODES)
    if fmt.kind == "int":
        negative = codes >> 3
        integers: Ints = negative << 7 | np.where(negative, CODES - codes, codes) << 3
        return integers
    exponent = codes >> fmt.man_bits & ((1 << fmt.exp_bits) - 1)
    hidden = (exponent > 0) << fmt.man_bits
    significand = hidden | codes & ((1 << fmt.man_bits) - 1)
    words: Ints = (codes >> 3) << 7 | significand << 3 | np.maximum(exponent - 1, 0)
    return words


def _distances(words: Ints) -> Ints:
    """(16, 16) bits between any two of 16 words."""
    counts: Ints = np.bitwise_count(words[:, None] ^ words).astype(np.int64)
    return counts


def array_toggles(
    a_codes: NDArray[np.uint8],
    b_codes: NDArray[np.uint8],
    a_fmt: str | Format,
    b_fmt: str | Format,
    *,
    rows: int,
    cols: int,
    acc_bits: int,
    drain: int,
    overlap: bool = True,
) -> ArrayToggles:
    """Transitions in an output-stationary array while it runs a layer of 4-bit operands, tile after tile.

    Tiles come as `fpsim_top` runs them: for each group of rows all groups of columns. Lanes beyond M and N
    carry code 0. All registers hold 0 at first; nothing stalls; the last tile is drained.

    Args:
        a_codes, b_codes: (M, K) and (N, K) uint8 codes.
        a_fmt, b_fmt: e2m1, e3m0, e1m2 or int4.
        rows, cols: of the array.
        acc_bits: width of the accumulators, which wrap.
        drain: `fpsim.array.cycles.drain_cycles`: a shorter tile makes the one after it wait.
        overlap: whether tiles drain while the next one loads.

    Raises:
        ValueError: an argument outside of the above.
    """
    a, b = (_check.array(n, x, "uint8", 2) for n, x in (("a_codes", a_codes), ("b_codes", b_codes)))
    if a.shape[1] != b.shape[1] or 0 in (*a.shape, *b.shape):
        raise ValueError(f"a_codes {a.shape}, b_codes {b.shape}: expected (M, K) and (N, K), none of them 0")
    for name, codes in (("a_codes", a), ("b_codes", b)):
        _check.values_within(name, codes, 0, CODES - 1)
    form_a, form_b = (_check.operand_format(n, get(f)) for n, f in (("a_fmt", a_fmt), ("b_fmt", b_fmt)))
    bits = _check.integer("acc_bits", acc_bits, 9, 40)
    row_groups, col_groups = -(-len(a) // rows), -(-len(b) // cols)
    depth, waiting = a.shape[1], _check.integer("drain", drain, 1, 1 << 20)
    steps, bus = np.zeros((2, CODES, CODES, 2), np.int64), np.zeros((2, 1), np.int64)
    _lane_steps(a, rows, col_groups, False, waiting, overlap, steps[0], bus[0])
    _lane_steps(b, cols, row_groups, True, waiting, overlap, steps[1], bus[1])
    units_a = np.zeros((row_groups * rows, depth), np.int64)
    units_b = np.zeros((depth, col_groups * cols), np.int64)
    units_a[: len(a)] = unit_table(form_a)[a]
    units_b[:, : len(b)] = unit_table(form_b)[b].T
    totals = np.zeros(4, np.int64)
    _sums(units_a, units_b, rows, cols, (1 << bits) - 1, waiting, overlap, totals)
    tiles = row_groups * col_groups
    # 00 01 00 for a CLEAR; 00 11 00 for a TAKE, of which a tile of one beat joins the first to the CLEAR.
    op_toggles = 2 + 4 * tiles - 2 * (depth == 1) if overlap else 2 * tiles
    by_code, by_place = _distances(np.arange(CODES)), rows * (rows - 1) // 2
    words = [_distances(operand_words(form)) for form in (form_a, form_b)]
    toggles = {
        "a_skew": int((steps[0, :, :, 1] * by_code).sum()) + op_toggles * by_place,
        "b_skew": int((steps[1, :, :, 1] * by_code).sum()),
        "a_operand": cols * (int((steps[0, :, :, 0] * words[0]).sum()) + op_toggles * rows),
        "b_operand": rows * int((steps[1, :, :, 0] * words[1]).sum()),
        **dict(zip(("product", "carry", "acc", "out"), map(int, totals), strict=True)),
        "a_codes": int(bus[0, 0]),
        "b_codes": int(bus[1, 0]),
    }
    return ArrayToggles(toggles, op_toggles, cols * steps[0, :, :, 0], rows * steps[1, :, :, 0])
