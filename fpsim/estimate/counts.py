"""How often everything happens when the accelerator runs a layer once. Exact, from shapes.

The schedule that is counted, layer by layer:
    - The input path makes the codes of all M rows once. A row with a dynamic scale is read from SRAM twice as
      FP16 (first its exponent; then align, Hadamard, amax), its rotated integers are written to a row buffer
      and read back when the amplitude is known (quantizer). With a static scale it is read once, and goes
      from the Hadamard engine straight to the quantizer.
    - Codes wait in SRAM for the whole layer. Output-stationary tiles: for each group of C columns the
      weights' codes come from DRAM once into a double buffer and are read for each group of R rows; every
      tile reads R activation codes and C weight codes per beat, a column's scale and bias per tile.
    - Rows of y go to SRAM as FP16. DRAM carries weights, column scales and biases, once per forward pass;
      activations stay on the chip unless asked otherwise.
    - Scales of blocks of K lie beside the codes, and are read with a block's first beat.
    - Of an attention product both operands are activations: the second one comes through the input path as
      well, and nothing of it from DRAM.
"""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.array.config import ArrayConfig
from fpsim.array.cycles import layer_cycles
from fpsim.estimate.bandwidth import Groups, Memory, feed_cycles, limited_cycles
from fpsim.estimate.shapes import Layer

NIBBLE_BITS = 4  # what one pass of the array reads of a code
FP16_BITS = 16
COL_SCALE_BITS = 19  # TF32, as the epilogue's port takes it
COL_SCALE_WORD_BITS = 32  # the same where it lies in DRAM
BITS_PER_BYTE = 8


@dataclass(frozen=True)
class Buffer:
    """Traffic of one SRAM buffer: what it must hold (bytes) and the bits written and read."""

    size_bytes: float
    written_bits: int
    read_bits: int


@dataclass(frozen=True)
class LayerCounts:
    """One run of one layer.

    Attributes:
        macs: useful multiply-accumulates; ragged tiles are padded, so the array does more.
        tiles, beats, cycles: of the array; beats are the cycles that carry operands, cycles include stalls.
        stall_cycles: those in which the array waits for a memory.
        rows: rows scaled.
        align_beats, rotate_beats: beats of `hadamard_n` elements through align (two passes, one with a
            static scale), and through Hadamard, amax and quantizer (one each).
        outputs: results of the epilogue.
        buffers: SRAM traffic by buffer.
        dram_bits: bits from and to DRAM.
    """

    macs: int
    tiles: int
    beats: int
    cycles: int
    rows: int
    align_beats: int
    rotate_beats: int
    outputs: int
    buffers: dict[str, Buffer]
    dram_bits: int
    stall_cycles: int = 0


UNLIMITED = Memory()


def count_layer(
    layer: Layer, config: ArrayConfig, *, activations_in_dram: bool = False, memory: Memory = UNLIMITED
) -> LayerCounts:
    """Count one run of a layer (its `count` left out).

    Args:
        layer: a layer that the accelerator runs.
        config: the accelerator.
        activations_in_dram: whether rows of x come from DRAM and rows of y go there.
        memory: what the memories deliver; a slower one makes the array wait.
    """
    m, n, k, operands = layer.m, layer.n, layer.k, layer.operands
    row_groups, col_groups = _ceil(m, config.rows), _ceil(n, config.cols)
    tiles = row_groups * col_groups
    beats_per_tile = k * operands.passes
    both = layer.kind == "attention"  # operands are activations
    rows = m + n if both else m
    rotate_beats = rows * _ceil(k, config.unit.hadamard_n)
    looks = 1 if operands.static else 2  # the first one finds the row's exponent
    row_buffer = 0 if operands.static else config.unit.rotated_bits
    col_bits = COL_SCALE_BITS + FP16_BITS
    blocks = _ceil(k, operands.block) if operands.block else 0
    block_bits = blocks * operands.scale_bits  # of a row or a column
    activation_row = k * operands.activation_bits + block_bits
    weight_col = k * operands.weight_bits + block_bits
    held_cols = n if both else 2 * config.cols
    buffers = {
        "x": Buffer(rows * k * FP16_BITS / BITS_PER_BYTE, rows * k * FP16_BITS, looks * rows * k * FP16_BITS),
        "row": Buffer(k * row_buffer / BITS_PER_BYTE, rows * k * row_buffer, rows * k * row_buffer),
        "codes": Buffer(
            m * activation_row / BITS_PER_BYTE,
            m * activation_row,
            tiles * config.rows * (beats_per_tile * NIBBLE_BITS + block_bits),
        ),
        "weights": Buffer(
            held_cols * (weight_col + col_bits) / BITS_PER_BYTE,
            n * (weight_col + col_bits),
            tiles * config.cols * (beats_per_tile * NIBBLE_BITS + block_bits + col_bits),
        ),
        "y": Buffer(m * n * FP16_BITS / BITS_PER_BYTE, m * n * FP16_BITS, 0),
    }
    column_dram = 0 if both else weight_col + COL_SCALE_WORD_BITS + FP16_BITS
    x_bits, y_bits = (rows * k * FP16_BITS, m * n * FP16_BITS) if activations_in_dram else (0, 0)
    feed = feed_cycles(config, memory, beats_per_tile, blocks, operands.scale_bits)
    last_cols = n - (col_groups - 1) * config.cols
    groups = Groups(col_groups, row_groups, config.cols * column_dram, last_cols * column_dram)
    cycles = limited_cycles(config, memory, groups, feed, x_bits, y_bits)
    return LayerCounts(
        macs=m * n * k,
        tiles=tiles,
        beats=tiles * beats_per_tile,
        cycles=cycles,
        rows=rows,
        align_beats=looks * rotate_beats,
        rotate_beats=rotate_beats,
        outputs=m * n,
        buffers=buffers,
        dram_bits=n * column_dram + x_bits + y_bits,
        stall_cycles=cycles - layer_cycles(config, m, n, beats_per_tile),
    )


def _ceil(value: int, step: int) -> int:
    return -(-value // step)
