"""fpsim_mac_array against the law of passes and of single beats, and against fpsim.array.cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import cocotb

from fpsim.arith.decode import decode
from fpsim.array.config import OPERAND_FORMATS, WIDE_FORMATS
from fpsim.array.cycles import drain_cycles, sequence_cycles, tile_cycles
from fpsim.formats import get
from fpsim.verify.benches.harness import Bench, Words, pack
from fpsim.verify.benches.mac_array_law import low_of, sums
from fpsim.verify.benches.stream import Beat, Expectation, Model, Stream, check_stream

FORMAT_PORTS = frozenset({"a_fmt", "b_fmt"})  # stable while anything is in the array
PASS_PORTS = ("in_shift", "in_a_low", "in_b_low")
CODES_SHOWN = 24
LONGEST_WRAP = 9_000  # beats of a tile that is long enough to overflow the accumulator
LONGEST_CUT = 60  # cycles before a reset cuts a sequence of tiles off
Formats = tuple[str, str]
Codes = list[list[int]]


class TileMonitor:
    """Collects the beats that the array accepted; on the last one of a tile, says which rows must come."""

    def __init__(self, bench: Bench, rows_of: Callable[[list[Words]], list[Words]]) -> None:
        self._bench = bench
        self._rows_of = rows_of
        self._beats: list[Words] = []

    def __call__(self, seen: Words) -> list[Expectation]:
        """The model of `Stream`."""
        if seen["in_first"]:
            self._beats = []
        self._beats.append(seen)
        if not seen["in_last"]:
            return []
        tile = self._beats
        formats = {name: tile[0][name] for name in FORMAT_PORTS}
        return [
            Expectation(words, formats, self._notes(tile, row))
            for row, words in enumerate(self._rows_of(tile))
        ]

    def _notes(self, tile: list[Words], row: int) -> Callable[[int], list[tuple[str, str]]]:
        def notes(lane: int) -> list[tuple[str, str]]:
            return [
                ("place", f"row {row}, column {lane} of a tile of {len(tile)} beats"),
                ("input", self._codes(tile, "a", row)),
                ("input", self._codes(tile, "b", lane)),
            ]

        return notes

    def _codes(self, tile: list[Words], side: str, lane: int) -> str:
        port = next(p for p in self._bench.unit.inputs if p.name == f"{side}_codes")
        fmt = OPERAND_FORMATS[tile[0][f"{side}_fmt"]]
        shown = tile[:CODES_SHOWN]
        codes = [port.lane(beat[port.name], lane) for beat in shown]
        lows = [low_of(beat, side, self._bench.config.unit) for beat in shown]
        values = ", ".join(str(decode(c, fmt, low=low).value) for c, low in zip(codes, lows, strict=True))
        bits = " ".join(f"{code:04b}" for code in codes)
        more = " …" if len(tile) > CODES_SHOWN else ""
        return f"{port.signal}[lane {lane}] for beats from 0 = {bits}{more} ({values}{more} units of {fmt})"


def law_of(bench: Bench) -> Callable[[list[Words]], list[Words]]:
    """The rows that leave after a tile's beats."""
    acc_port = bench.unit.outputs[0]

    def rows_of(tile: list[Words]) -> list[Words]:
        return _rows([pack(row, acc_port.bits) for row in sums(tile, bench.unit, bench.config.unit)])

    return rows_of


def _rows(words: list[int]) -> list[Words]:
    last = len(words) - 1
    return [{"out_acc": word, "out_last": int(row == last)} for row, word in enumerate(words)]


def _formats(bench: Bench) -> Formats:
    """A format for each side out of all that the array runs."""
    unit = bench.config.unit
    known = (*unit.formats, *(WIDE_FORMATS if unit.wide else ()))
    return bench.rng.choice(known), bench.rng.choice(known)


def _nibbles(code: int, name: str) -> list[int]:
    """A code's four-bit parts, highest first; int6 sign-extended."""
    if name not in WIDE_FORMATS:
        return [code]
    value = code - get(name).n_codes if code >= get(name).n_codes // 2 else code
    return [value >> 4 & 15, value & 15]


def _tile(bench: Bench, formats: Formats, a: Codes, b: Codes, *, drained: bool) -> Iterator[Beat]:
    """The beats of a tile, pass after pass: activations (rows, K), weights (columns, K)."""
    sides = [
        [[_nibbles(code, name) for code in lane] for lane in codes]
        for codes, name in zip((a, b), formats, strict=True)
    ]
    selectors = ["int4" if name in WIDE_FORMATS else name for name in formats]
    ports = dict(zip(("a_fmt", "b_fmt"), map(OPERAND_FORMATS.index, selectors), strict=True))
    counts = [len(side[0][0]) for side in sides]
    order = [(i, j) for i in range(counts[0]) for j in range(counts[1])]  # high·high, …, low·low
    depth, beats = len(a[0]), len(order) * len(a[0])
    for index in range(beats):
        (i, j), k = order[index // depth], index % depth
        heavier = sum(order[index // depth - 1]) if index >= depth else i + j
        marks = {
            "in_first": int(index == 0),
            "in_last": int(index == beats - 1),
            "in_shift": int(k == 0 and i + j > heavier),
            "in_a_low": i,
            "in_b_low": j,
        }
        if not bench.config.unit.wide:  # these do not count then
            marks |= {name: bench.rng.getrandbits(1) for name in PASS_PORTS}
        codes = {
            port: pack((lane[k][part] for lane in side), 4)
            for port, side, part in zip(("a_codes", "b_codes"), sides, (i, j), strict=True)
        }
        yield Beat(ports | marks | codes, drained=drained and index == 0)


def _random_tile(
    bench: Bench,
    formats: Formats,
    depth: int,
    *,
    drained: bool = False,
    lane: Callable[[str], int] | None = None,
    used: tuple[int, int] | None = None,
) -> Iterator[Beat]:
    """A tile of depth K; `lane` gives one code of a format, default random.

    Some tiles are ragged; `used` says how many rows and columns are not.
    """
    config, rng = bench.config, bench.rng
    if used is None:
        used = rng.randint(1, config.rows), rng.randint(1, config.cols)
        used = used if rng.random() < 0.3 else (config.rows, config.cols)
    sides = []
    for name, lanes, count in zip(formats, (config.rows, config.cols), used, strict=True):
        draw = lane or (lambda fmt: rng.randrange(get(fmt).n_codes))
        sides.append([[draw(name) if row < count else 0 for _ in range(depth)] for row in range(lanes)])
    yield from _tile(bench, formats, *sides, drained=drained)


def sequence(bench: Bench, depths: Iterable[int], formats: Formats | None = None) -> Iterator[Beat]:
    """Tiles of the same formats, one right after the other, the first one once the array is empty."""
    formats = formats or _formats(bench)
    lane = _extreme_code(bench) if bench.rng.random() < 0.4 else None
    for number, depth in enumerate(depths):
        yield from _random_tile(bench, formats, depth, drained=number == 0, lane=lane)


def _every_formats(bench: Bench) -> Iterator[Beat]:
    """Every pair of formats: all pairs of zeros and largest codes, sums of every sign, ragged tiles."""
    config, unit = bench.config, bench.config.unit
    sizes = set(product((config.rows, max(config.rows - 1, 1)), (config.cols, max(config.cols - 1, 1))))
    narrow = [(a, b) for a in unit.formats for b in unit.formats]
    wide = [(a, b) for a, b in product((*unit.formats, "int8"), repeat=2) if "int8" in (a, b) and unit.wide]
    for formats in (*narrow, *wide):
        (zero, minus, top), (b_zero, b_minus, b_top) = (_corner_codes(name) for name in formats)
        pairs = product((zero, minus, top), (b_zero, b_minus, b_top))
        tiles = [list(pairs), [(top, get(formats[1]).n_codes - 1)], [(zero, b_zero)]]
        for tile in tiles:
            a, b = ([[pair[0] for pair in tile]] * config.rows, [[pair[1] for pair in tile]] * config.cols)
            yield from _tile(bench, formats, a, b, drained=True)
        yield from _tile(bench, formats, a, b, drained=False)
        for used in sorted(sizes):
            yield from _random_tile(bench, formats, 2, used=used)


def _corner_codes(name: str) -> tuple[int, int, int]:
    """0; −0, or 0 where there is none; the largest number."""
    form = get(name)
    return (0, 0, form.n_codes // 2 - 1) if form.kind == "int" else (0, 8, 7)


def _climbing_tile(bench: Bench, formats: Formats, *, negative: bool) -> Iterator[Beat]:
    """A tile whose every beat counts 16 times what was before: beyond either end in a few beats."""
    a, b = (_corner_codes(name)[2] for name in formats)
    b = get(formats[1]).n_codes - b if formats[1] == "int4" and negative else b | 8 * negative
    selectors = dict(zip(("a_fmt", "b_fmt"), map(OPERAND_FORMATS.index, formats), strict=True))
    codes = {"a_codes": pack([a] * bench.config.rows, 4), "b_codes": pack([b] * bench.config.cols, 4)}
    beats = bench.config.unit.acc_bits // 4 + 2
    for index in range(beats):
        marks = {"in_first": int(index == 0), "in_last": int(index == beats - 1), "in_shift": int(index > 0)}
        low = {"in_a_low": 0, "in_b_low": 0}
        yield Beat(selectors | codes | marks | low, drained=index == 0)


def _loose_ragged(bench: Bench) -> Iterator[Beat]:
    """Loose tiles, shifted without a new pass, whose last row, last column, or both are padding."""
    config = bench.config
    for rows, cols in product((0, 1), repeat=2):
        lanes = {"a_codes": config.rows - rows, "b_codes": config.cols - cols}
        codes = {name: pack([1 + bench.rng.randrange(15)] * count, 4) for name, count in lanes.items()}
        marks = {"in_shift": 1, "in_a_low": 0, "in_b_low": 0}
        yield from (Beat(beat.words | codes | marks, beat.drained) for beat in _loose_tile(bench, 3))


def _loose_tile(bench: Bench, beats: int) -> Iterator[Beat]:
    """A tile whose beats shift and call their codes low nibbles at random."""
    names = bench.rng.choice(bench.config.unit.formats), bench.rng.choice(bench.config.unit.formats)
    formats = dict(zip(("a_fmt", "b_fmt"), map(OPERAND_FORMATS.index, names), strict=True))
    for index in range(beats):
        marks = {"in_first": int(index == 0), "in_last": int(index == beats - 1)}
        yield Beat(bench.noise() | formats | marks, drained=index == 0)


def _extreme_code(bench: Bench) -> Callable[[str], int]:
    """Codes of the largest magnitude, of either sign, and ±0."""

    def lane(name: str) -> int:
        form = get(name)
        if form.kind == "int":
            return bench.rng.choice((form.n_codes // 2 - 1, form.n_codes // 2, 0, form.n_codes - 1))
        return bench.rng.choice((7, 15, 0, 8))

    return lane


async def _measure(bench: Bench, model: Model) -> dict[str, int]:
    """Cycles of tiles without stalls, alone and in sequences, by name; each must be what the formulas say."""
    config = bench.config
    stream = Stream(bench, model, stress=False)
    await stream.reset()
    drain = drain_cycles(config)
    depths = sorted({1, 2, 3, config.rows, drain - 1, drain, drain + 1, 40})
    narrow = config.unit.formats[0]
    kinds = {1: (narrow, narrow)}
    if config.unit.wide:
        kinds |= {2: (narrow, "int8"), 4: ("int6", "int8")}
    measured: dict[str, int] = {}
    for count, formats in kinds.items():
        for k in depths[:: 1 if count == 1 else 3]:
            expected = tile_cycles(config, k, count)
            measured[f"k={k} passes={count}"] = await _cycles(stream, [k], formats, expected)
        sequences = [[k] * 4 for k in (1, max(drain // count, 1), drain)] + [[3, 1, drain + 5, 1, 2]]
        for sequence in sequences:
            expected = sequence_cycles(config, [count * k for k in sequence])
            name = f"k={','.join(map(str, sequence))} passes={count}"
            measured[name] = await _cycles(stream, sequence, formats, expected)
    return measured


async def _cycles(stream: Stream, depths: list[int], formats: Formats, expected: int) -> int:
    """Run a sequence at full speed; its cycles, which must be the expected ones."""
    stream.first_in = None
    await stream.run(sequence(stream.bench, depths, formats))
    assert stream.first_in is not None
    cycles = stream.last_out - stream.first_in + 1
    if cycles != expected:
        rows = [
            ("input", f"K = {depths} of {' x '.join(formats)}"),
            ("expected", f"{expected} cycles"),
            ("got", f"{cycles} cycles"),
        ]
        raise stream.bench.reporter.fault("cycles differ from fpsim.array.cycles", rows)
    return cycles


def _timed(bench: Bench) -> Iterator[Beat]:
    """Tiles offered when the rows before them are about to leave: refused for no cycle, for one, for many.

    The tile before them is as long as one's rows take to leave, or up to a few beats shorter or longer.
    """
    drain, narrow = drain_cycles(bench.config), bench.config.unit.formats[0]
    for depth, gap, between in product((1, 2), (0, 1, 2), range(max(drain - 5, 1), drain + 3)):
        tiles = sequence(bench, [1, between, depth], (narrow, narrow))
        yield from (replace(beat, gap=gap * (index == 1 + between)) for index, beat in enumerate(tiles))


def _overflowing_tile(bench: Bench) -> Iterator[Beat]:
    """One tile of the largest products, long enough to leave every accumulator's range."""
    names = bench.config.unit.formats
    largest = max(names, key=lambda name: max(abs(decode(code, name).value) for code in range(16)))
    code = max(range(16), key=lambda c: abs(decode(c, largest).value))
    depth = (1 << (bench.config.unit.acc_bits - 1)) // decode(code, largest).value ** 2 + 2
    if depth > LONGEST_WRAP:
        return
    a, b = [[code] * depth] * bench.config.rows, [[code] * depth] * bench.config.cols
    yield from _tile(bench, (largest, largest), a, b, drained=True)


async def _cut_off(bench: Bench, model: Model, times: int) -> None:
    """Resets at any moment of a sequence of tiles; what comes after each is right."""
    stream = Stream(bench, model, stress=True, held=FORMAT_PORTS)
    await stream.reset()
    for _ in range(times):
        depths = [bench.rng.randint(1, 12) for _ in range(6)]
        await stream.run(sequence(bench, depths), cycles=bench.rng.randint(1, LONGEST_CUT))
        await stream.reset()


@cocotb.test()
async def random(dut: Any) -> None:
    """Measured tiles; resets at any moment; tiles with gaps and back-pressure; one that overflows."""
    bench = Bench(dut, "random")
    model = TileMonitor(bench, law_of(bench))
    measured = await _measure(bench, model)
    await check_stream(bench, model, _timed(bench), stress=False, held=FORMAT_PORTS)
    await _cut_off(bench, model, bench.pick(30, 10))

    def beats() -> Iterator[Beat]:
        for _ in range(bench.pick(60, 16)):
            tiles = bench.rng.choice((1, 2, 4))
            yield from sequence(bench, (bench.rng.choice((1, 1, 2, 3, 5, 8, 13, 21)) for _ in range(tiles)))
            yield from _loose_tile(bench, bench.rng.randint(1, 9))
        yield from _every_formats(bench)
        if bench.config.unit.wide:
            for a, b in product(bench.config.unit.formats, repeat=2):
                yield from _climbing_tile(bench, (a, b), negative=False)
                yield from _climbing_tile(bench, (a, b), negative=True)
            yield from _loose_ragged(bench)
        yield from sequence(bench, [1] * bench.pick(40, 10))
        if not bench.job.quick:
            yield from _overflowing_tile(bench)

    await check_stream(bench, model, beats(), held=FORMAT_PORTS, cut=sequence(bench, [5, 3, 30]))
    bench.finish(**measured)


@cocotb.test()
async def golden(dut: Any) -> None:
    """The golden set's tiles at full speed, one right after the other while the formats stay."""
    bench = Bench(dut, "golden")
    inputs, outputs = bench.golden()
    words = iter([beat["out_acc"] for beat in outputs])
    rows = bench.config.rows
    bench.require_lines(rows * sum(beat["in_last"] for beat in inputs), len(outputs))
    model = TileMonitor(bench, lambda _: _rows([next(words) for _ in range(rows)]))
    one_pass = dict.fromkeys(PASS_PORTS, 0)  # of sets from before there were passes
    changes = [True, *(any(a[name] != b[name] for name in FORMAT_PORTS) for a, b in pairwise(inputs))]
    beats = (Beat(one_pass | beat, drained=new) for beat, new in zip(inputs, changes, strict=True))
    await check_stream(bench, model, beats, stress=False, held=FORMAT_PORTS)
    bench.finish()
