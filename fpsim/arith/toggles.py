"""Bit transitions of the machine's registers, cycle by cycle: every register a number, every clock a step.

Slow, and the judge of `fpsim.kernels.toggles`, which gets the same counts without walking through cycles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from fpsim.arith.checks import check_int
from fpsim.arith.decode import Operand, decode, operand_format
from fpsim.arith.hadamard import apply_signs, hadamard
from fpsim.arith.mac import mac
from fpsim.arith.mul import mul
from fpsim.formats import Format

ADD, CLEAR, TAKE = 0, 1, 3  # rtl/fpsim_pkg.sv
PRODUCT_BITS = 14
EMPTY, SKEW, DRAIN = range(3)

Codes = Sequence[Sequence[int]]


def word_toggles(words: Iterable[int], bits: int) -> int:
    """Bits that differ between each word and the next, of words of `bits` bits in two's complement."""
    mask = (1 << bits) - 1
    return sum(((a ^ b) & mask).bit_count() for a, b in pairwise(words))


def hadamard_toggles(
    beats: Sequence[Sequence[int]], signs: Sequence[Sequence[int]] | None, in_bits: int, cut: int = 1
) -> int:
    """Transitions of the Hadamard engine's registers (rtl/fpsim_hadamard.sv) from the first beat on.

    Args:
        beats: aligned integers, n in every beat, n a power of two.
        signs: each beat's ±1; None: the engine passes beats unchanged.
        in_bits: width of an aligned integer.
        cut: stages from register to register.
    """
    stages = len(beats[0]).bit_length() - 1
    total = 0
    for stage in range(stages):
        if stage % cut != cut - 1 and stage != stages - 1:
            continue
        size = 2 << stage  # what stages 0 to `stage` have joined
        values = []
        for t, beat in enumerate(beats):
            if signs is None:
                values.append(list(beat))
                continue
            x = apply_signs(beat, signs[t])
            values.append([y for at in range(0, len(x), size) for y in hadamard(x[at : at + size])])
        total += sum(word_toggles(lane, in_bits + stage + 1) for lane in zip(*values, strict=True))
    return total


def array_toggles(
    tiles: Sequence[tuple[Codes, Codes]],
    a_fmt: str | Format,
    b_fmt: str | Format,
    *,
    acc_bits: int,
    overlap: bool = True,
    product_cut: bool = False,
) -> dict[str, int]:
    """Transitions in the MAC array (rtl/fpsim_mac_array.sv) while it takes tiles without a stall.

    All registers hold 0 at the start; a tile's first beat is offered as soon as the last one of the tile
    before is taken, rows leave as they are offered, and the clock runs until nothing moves.

    Args:
        tiles: activation codes (R, K) and weight codes (C, K) of each, all of one shape.
        a_fmt, b_fmt: 4-bit operand formats.
        acc_bits: width of the accumulators, which wrap.
        overlap, product_cut: as in `fpsim.array.config.UnitConfig`.

    Returns:
        Transitions of: a_skew, b_skew (delay lines), a_operand (with the operation), b_operand, acc, out
        (registers); product, carry (wires of the elements: the product, with product_cut its register; the
        carries into each bit of the sum); a_codes, b_codes (buses from the buffers, from word to word).
    """
    check_int("acc_bits", acc_bits, 2, 63)
    a_form, b_form = operand_format("a_fmt", a_fmt), operand_format("b_fmt", b_fmt)
    machine = _Array(len(tiles[0][0]), len(tiles[0][1]), a_form, b_form, acc_bits, overlap, product_cut)
    machine.run([beat for a, b in tiles for beat in _beats(a, b)])
    return machine.toggles


Beat = tuple[bool, bool, tuple[int, ...], tuple[int, ...]]  # first, last, codes of a, codes of b


def _beats(a: Codes, b: Codes) -> Iterator[Beat]:
    depth = len(a[0])
    for k in range(depth):
        yield k == 0, k == depth - 1, tuple(row[k] for row in a), tuple(row[k] for row in b)


def _operand_word(operand: Operand) -> int:
    return operand.neg << 7 | operand.sig << 3 | operand.shift


class _Array:
    """R x C elements, their delay lines and the sequencer."""

    def __init__(
        self, rows: int, cols: int, a_fmt: Format, b_fmt: Format, acc_bits: int, overlap: bool, cut: bool
    ) -> None:
        self.rows, self.cols, self.acc_bits, self.overlap, self.cut = rows, cols, acc_bits, overlap, cut
        self.a_operand = [decode(code, a_fmt) for code in range(16)]
        self.b_operand = [decode(code, b_fmt) for code in range(16)]
        self.state, self.count, self.owed = EMPTY, 0, False
        names = ("a_skew", "b_skew", "a_operand", "b_operand", "product", "carry", "acc", "out")
        self.toggles = dict.fromkeys((*names, "a_codes", "b_codes"), 0)
        # What enters a lane is {op, code} and code; lane i delays it by i cycles.
        self.a_lines = [[0] * r for r in range(rows)]
        self.b_lines = [[0] * c for c in range(cols)]
        places = [(r, c) for r in range(rows) for c in range(cols)]
        self.a = dict.fromkeys(places, 0)  # {op, code} stands for {op, decoded code}
        self.b = dict.fromkeys(places, 0)
        self.acc, self.out = dict.fromkeys(places, 0), dict.fromkeys(places, 0)
        self.product = dict.fromkeys(places, (ADD, 0))  # with its op, behind the cut if there is one
        self.carry = dict.fromkeys(places, 0)

    def run(self, beats: list[Beat]) -> None:
        """Feed all beats, then zeros until all is still."""
        quiet, taken = 0, 0
        buses: tuple[list[tuple[int, ...]], ...] = ([], [])
        while quiet < self.rows + self.cols + 3:
            ready = self.state == EMPTY or (self.overlap and not self.owed)
            beat = beats[taken] if ready and taken < len(beats) else None
            if beat:
                taken += 1
                for bus, codes in zip(buses, beat[2:], strict=True):
                    bus.append(codes)
            self._clock(beat)
            moving = taken < len(beats) or self.owed or self.state != EMPTY
            quiet = 0 if moving else quiet + 1
        for name, bus in zip(("a_codes", "b_codes"), buses, strict=True):
            self.toggles[name] = sum(word_toggles(lane, 4) for lane in zip(*bus, strict=True))

    def _clock(self, beat: Beat | None) -> None:
        op = self._sequence(beat)
        zeros = (0,) * (self.rows + self.cols)
        a_codes, b_codes = (beat[2], beat[3]) if beat else (zeros, zeros)
        a_edge = [self._delay("a_skew", line, op << 4 | a_codes[r]) for r, line in enumerate(self.a_lines)]
        b_edge = [self._delay("b_skew", line, b_codes[c]) for c, line in enumerate(self.b_lines)]
        a_next = {(r, c): self.a[r, c - 1] if c else a_edge[r] for r, c in self.a}
        b_next = {(r, c): self.b[r - 1, c] if r else b_edge[c] for r, c in self.b}
        for place in self.a:
            self._element(place)
        for place in self.a:
            self._count("a_operand", self._a_word(self.a[place]), self._a_word(a_next[place]))
            before, after = (_operand_word(self.b_operand[code]) for code in (self.b[place], b_next[place]))
            self._count("b_operand", before, after)
        self.a, self.b = a_next, b_next
        for place in self.a:
            if not self.cut:
                self._multiply(place)
            self._carry(place)

    def _sequence(self, beat: Beat | None) -> int:
        """The operation of this cycle, and the sequencer's next state."""
        take = self.overlap and self.owed and self.state == EMPTY
        start = take or (not self.overlap and beat is not None and beat[1])
        op = TAKE if take else CLEAR if beat and beat[0] else ADD
        if self.overlap:
            self.owed = beat[1] if beat else self.owed and not take
        if self.state == EMPTY:
            self.state, self.count = (SKEW, 0) if start else (EMPTY, 0)
        else:
            self.count += 1
            last = self.cols + self.cut if self.state == SKEW else self.rows
            if self.count == last:
                self.state, self.count = (DRAIN, 0) if self.state == SKEW else (EMPTY, 0)
        return op

    def _delay(self, name: str, line: list[int], word: int) -> int:
        """Shift a word in, return the one at the end of the line as it was before the clock."""
        if not line:
            return word
        end = line[-1]
        after = [word, *line[:-1]]
        for old, new in zip(line, after, strict=True):
            self._count(name, old, new)
        line[:] = after
        return end

    def _a_word(self, word: int) -> int:
        op, code = divmod(word, 16)
        return op << 8 | _operand_word(self.a_operand[code])

    def _element(self, place: tuple[int, int]) -> None:
        """One clock of accumulator and output register, from what stands before them."""
        op, product = self.product[place]
        acc = self.acc[place]
        after = mac(acc, product, first=op in (CLEAR, TAKE), acc_bits=self.acc_bits)
        if op == TAKE:
            self._count("out", self.out[place], acc, self.acc_bits)
            self.out[place] = acc
        self._count("acc", acc, after, self.acc_bits)
        self.acc[place] = after
        if self.cut:
            self._multiply(place)

    def _multiply(self, place: tuple[int, int]) -> None:
        op, code = divmod(self.a[place], 16)
        product = mul(self.a_operand[code], self.b_operand[self.b[place]])
        self._count("product", self.product[place][1], product, PRODUCT_BITS)
        self.product[place] = op, product

    def _carry(self, place: tuple[int, int]) -> None:
        """Carries into each bit: where the sum's bit is not the exclusive or of the addends'."""
        op, product = self.product[place]
        base = 0 if op in (CLEAR, TAKE) else self.acc[place]
        carry = base ^ product ^ (base + product)
        self._count("carry", self.carry[place], carry, self.acc_bits)
        self.carry[place] = carry

    def _count(self, name: str, before: int, after: int, bits: int = 16) -> None:
        self.toggles[name] += ((before ^ after) & ((1 << bits) - 1)).bit_count()
