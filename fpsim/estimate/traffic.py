"""Words that a product moves at registers, SRAM and DRAM, per operand and dataflow, in closed form.

Only words of the product are counted, none of padding. The loops, outermost first; a tile or fold's stream
runs inside, nibble pass by nibble pass:

    os   column groups, row groups            sums stay, leave once
    ws   column groups, folds of K            weights stay; sums go to SRAM and come back for the next fold
    is   row groups, folds of K               activations stay; sums as in ws

An operand comes from DRAM again whenever it is needed again and its SRAM did not hold all that was used since
(least recently used goes first; a loop larger than the SRAM finds nothing of itself there). Sums that do not
fit are written to DRAM and read back in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

from fpsim.array.config import NIBBLE_BITS
from fpsim.estimate.dataflow import Dataflow, Product, folds

UNLIMITED = None


@dataclass(frozen=True)
class Sram:
    """Codes (sums, for outputs) that each operand's SRAM holds; None: as many as come."""

    activation_words: int | None = UNLIMITED
    weight_words: int | None = UNLIMITED
    output_words: int | None = UNLIMITED


@dataclass(frozen=True)
class Words:
    """How often words of one operand move.

    Attributes:
        register_written: into the array's registers, element by element: nibbles, or sums.
        sram_read: nibbles, or sums.
        sram_written: codes, or sums.
        dram_read, dram_written: codes, or sums.
    """

    register_written: int
    sram_read: int
    sram_written: int
    dram_read: int
    dram_written: int

    def bits(self, code_bits: int, read_bits: int) -> Words:
        """The same in bits: of a code (or sum), and of what one read of it takes."""
        return Words(
            self.register_written * read_bits,
            self.sram_read * read_bits,
            self.sram_written * code_bits,
            self.dram_read * code_bits,
            self.dram_written * code_bits,
        )


@dataclass(frozen=True)
class Traffic:
    """What one product moves."""

    activation: Words
    weight: Words
    output: Words

    def bits(self, product: Product, sum_bits: int) -> Traffic:
        """The same in bits; sums are `sum_bits` wide wherever they lie."""
        return Traffic(
            self.activation.bits(product.activation_bits, min(NIBBLE_BITS, product.activation_bits)),
            self.weight.bits(product.weight_bits, min(NIBBLE_BITS, product.weight_bits)),
            self.output.bits(sum_bits, sum_bits),
        )


def traffic(dataflow: Dataflow, product: Product, rows: int, cols: int, sram: Sram | None = None) -> Traffic:
    """Count one product's words.

    Args:
        dataflow: what stays in the array.
        product: what is multiplied.
        rows, cols: the array.
        sram: what each operand's SRAM holds; None: everything.

    Raises:
        ValueError: an unknown dataflow, rows or columns below 1.
    """
    folds(dataflow, product, rows, cols)  # checks
    held = sram or Sram()
    if dataflow == "os":
        return _output_stationary(product, rows, cols, held)
    if dataflow == "ws":
        weight, activation, output = _stationary(
            product.n,
            product.m,
            product.k,
            (product.weight_nibbles, product.activation_nibbles),
            (rows, cols),
            (held.weight_words, held.activation_words, held.output_words),
        )
    else:
        activation, weight, output = _stationary(
            product.m,
            product.n,
            product.k,
            (product.activation_nibbles, product.weight_nibbles),
            (rows, cols),
            (held.activation_words, held.weight_words, held.output_words),
        )
    return Traffic(activation, weight, output)


def _output_stationary(product: Product, rows: int, cols: int, held: Sram) -> Traffic:
    m, n, k, passes = product.m, product.n, product.k, product.passes
    row_groups, col_groups = -(-m // rows), -(-n // cols)
    activation_reads = m * k * passes * col_groups
    weight_reads = n * k * passes * row_groups
    activation_dram = sum(
        count * _fetched(size * k, [(size * k, passes), (m * k, col_groups)], held.activation_words)
        for size, count in _pieces(m, rows)
    )
    weight_dram = sum(
        count * _fetched(size * k, [(size * k, passes * row_groups)], held.weight_words)
        for size, count in _pieces(n, cols)
    )
    return Traffic(
        Words(activation_reads * cols, activation_reads, activation_dram, activation_dram, 0),
        Words(weight_reads * rows, weight_reads, weight_dram, weight_dram, 0),
        Words(product.macs * passes, 0, m * n, 0, m * n),
    )


def _stationary(
    fixed: int,
    moving: int,
    k: int,
    nibbles: tuple[int, int],
    shape: tuple[int, int],
    held: tuple[int | None, int | None, int | None],
) -> tuple[Words, Words, Words]:
    """K on the rows, `fixed` rows of one operand on the columns, `moving` rows of the other stream.

    Returns:
        The operand that stays, the one that moves, the sums.
    """
    (fixed_nibbles, moving_nibbles), (rows, cols) = nibbles, shape
    passes = fixed_nibbles * moving_nibbles
    groups, k_folds = -(-fixed // cols), -(-k // rows)
    # The word of row r comes in from the top, through r + 1 registers.
    full, rest = divmod(k, rows)
    loading = (full * rows * (rows + 1) + rest * (rest + 1)) // 2
    kept = sum(
        count * _fetched(size, [(size, fixed_nibbles)], held[0])
        for width, columns in _pieces(fixed, cols)
        for size, count in ((width * depth, columns * folds_) for depth, folds_ in _pieces(k, rows))
    )
    stays = Words(fixed * loading * fixed_nibbles, fixed * k * fixed_nibbles, kept, kept, 0)
    reads = moving * k * passes * groups
    dram = sum(
        count * _fetched(moving * size, [(moving * size, passes), (moving * k, groups)], held[1])
        for size, count in _pieces(k, rows)
    )
    sums = fixed * moving * k_folds * passes
    sums_read = sums - fixed * moving
    spilled = sum(
        count * size * moving * (k_folds * passes - 1)
        for size, count in _pieces(fixed, cols)
        if held[2] is not None and size * moving > held[2]
    )
    return (
        stays,
        Words(reads * cols, reads, dram, dram, 0),
        Words(sums * rows, sums_read, sums, spilled, fixed * moving + spilled),
    )


def _pieces(length: int, step: int) -> list[tuple[int, int]]:
    """(size, how many) of the pieces that a length is cut into: whole ones and what is left."""
    full, rest = divmod(length, step)
    return [(size, count) for size, count in ((step, full), (rest, 1)) if size and count]


def _fetched(words: int, loops: list[tuple[int, int]], held: int | None) -> int:
    """Words read from DRAM: a loop (words used in one round, rounds) reads anew what it cannot keep."""
    for used, rounds in loops:
        if held is not None and used > held:
            words *= rounds
    return words
