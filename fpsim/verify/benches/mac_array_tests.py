"""fpsim_mac_array against fpsim.arith.mac_array, and its cycles against fpsim.array.cycles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cocotb

from fpsim.arith.decode import decode
from fpsim.arith.mac_array import mac_array
from fpsim.array.config import OPERAND_FORMATS
from fpsim.array.cycles import tile_cycles
from fpsim.verify.benches.harness import Bench, Words, pack
from fpsim.verify.benches.stream import Beat, Expectation, Model, Stream, check_stream

FORMAT_PORTS = frozenset({"a_fmt", "b_fmt"})  # stable from a tile's first beat to its last row
CODES_SHOWN = 24
LONGEST_WRAP = 9_000  # beats of a tile that is long enough to wrap the accumulator


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
                ("place", f"row {row}, column {lane} of a tile of K = {len(tile)}"),
                ("input", self._codes(tile, "a", row)),
                ("input", self._codes(tile, "b", lane)),
            ]

        return notes

    def _codes(self, tile: list[Words], side: str, lane: int) -> str:
        port = next(p for p in self._bench.unit.inputs if p.name == f"{side}_codes")
        fmt = OPERAND_FORMATS[tile[0][f"{side}_fmt"]]
        codes = [port.lane(beat[port.name], lane) for beat in tile[:CODES_SHOWN]]
        values = ", ".join(str(decode(code, fmt).value) for code in codes)
        bits = " ".join(f"{code:04b}" for code in codes)
        more = " …" if len(tile) > CODES_SHOWN else ""
        return f"{port.signal}[lane {lane}] for k from 0 = {bits}{more} ({values}{more} units of {fmt})"


def _law(bench: Bench) -> Callable[[list[Words]], list[Words]]:
    a_port, b_port = bench.unit.inputs[-2:]
    acc_port = bench.unit.outputs[0]

    def rows_of(tile: list[Words]) -> list[Words]:
        a = [[a_port.lane(beat["a_codes"], r) for beat in tile] for r in range(a_port.lanes)]
        b = [[b_port.lane(beat["b_codes"], c) for beat in tile] for c in range(b_port.lanes)]
        formats = OPERAND_FORMATS[tile[0]["a_fmt"]], OPERAND_FORMATS[tile[0]["b_fmt"]]
        acc = mac_array(a, b, *formats, bench.config.unit.acc_bits)
        return _rows([pack(row, acc_port.bits) for row in acc])

    return rows_of


def _rows(words: list[int]) -> list[Words]:
    last = len(words) - 1
    return [{"out_acc": word, "out_last": int(row == last)} for row, word in enumerate(words)]


def _tile(bench: Bench, k: int, lane: Callable[[str], int] | None = None) -> Iterator[Beat]:
    """A tile of K beats in random formats; `lane` gives one code of a format, default random."""
    config, rng = bench.config, bench.rng
    names = rng.choice(config.unit.formats), rng.choice(config.unit.formats)
    formats = dict(zip(("a_fmt", "b_fmt"), map(OPERAND_FORMATS.index, names), strict=True))
    used = rng.randint(1, config.rows), rng.randint(1, config.cols)
    if rng.random() < 0.7:
        used = config.rows, config.cols
    for index in range(k):
        marks = {"in_first": int(index == 0), "in_last": int(index == k - 1)}
        codes = {}
        for port, name, lanes in zip(("a_codes", "b_codes"), names, used, strict=True):
            codes[port] = pack((lane(name) if lane else rng.randrange(16) for _ in range(lanes)), 4)
        yield Beat(formats | marks | codes, drained=index == 0)


def _extreme_code(bench: Bench) -> Callable[[str], int]:
    """Codes of the largest magnitude, of either sign, and ±0."""

    def lane(name: str) -> int:
        ordered = sorted(range(16), key=lambda code: decode(code, name).value)
        return bench.rng.choice((ordered[0], ordered[-1], 0, 8 if name != "int4" else 0))

    return lane


async def _measure(bench: Bench, model: Model) -> dict[str, int]:
    """Cycles of tiles without stalls, by K; each must be what `tile_cycles` says."""
    stream = Stream(bench, model, stress=False)
    await stream.reset()
    measured: dict[str, int] = {}
    for k in sorted({1, 2, 3, bench.config.rows, bench.config.rows + bench.config.cols, 40}):
        stream.first_in = None
        await stream.run(_tile(bench, k))
        assert stream.first_in is not None
        cycles = stream.last_out - stream.first_in + 1
        expected = tile_cycles(bench.config, k)
        if cycles != expected:
            rows = [("input", f"K = {k}"), ("expected", f"{expected} cycles"), ("got", f"{cycles} cycles")]
            raise bench.reporter.fault("a tile's cycles differ from fpsim.array.cycles.tile_cycles", rows)
        measured[f"k={k}"] = cycles
    return measured


def _wrapping_tile(bench: Bench) -> Iterator[Beat]:
    """One tile of the largest products, long enough to wrap every accumulator."""
    names = bench.config.unit.formats
    largest = max(names, key=lambda name: max(abs(decode(code, name).value) for code in range(16)))
    code = max(range(16), key=lambda c: abs(decode(c, largest).value))
    beats = (1 << (bench.config.unit.acc_bits - 1)) // decode(code, largest).value ** 2 + 2
    if beats > LONGEST_WRAP:
        return
    fmt = OPERAND_FORMATS.index(largest)
    words = {"a_codes": pack([code] * bench.config.rows, 4), "b_codes": pack([code] * bench.config.cols, 4)}
    for k in range(beats):
        marks = {"in_first": int(k == 0), "in_last": int(k == beats - 1)}
        yield Beat({"a_fmt": fmt, "b_fmt": fmt} | marks | words, drained=k == 0)


@cocotb.test()
async def random(dut: Any) -> None:
    """Measured tiles; then random tiles with gaps and back-pressure; then one that wraps."""
    bench = Bench(dut, "random")
    model = TileMonitor(bench, _law(bench))
    measured = await _measure(bench, model)

    def beats() -> Iterator[Beat]:
        for _ in range(bench.pick(150, 40)):
            yield from _tile(bench, bench.rng.choice((1, 1, 2, 3, 5, 8, 13, 21, 48)))
            yield from _tile(bench, bench.rng.randint(1, 9), _extreme_code(bench))
        if not bench.job.quick:
            yield from _wrapping_tile(bench)

    await check_stream(bench, model, beats(), held=FORMAT_PORTS, cut=_tile(bench, 30))
    bench.finish(**measured)


@cocotb.test()
async def golden(dut: Any) -> None:
    """The golden set's tiles at full speed."""
    bench = Bench(dut, "golden")
    inputs, outputs = bench.golden()
    words = iter([beat["out_acc"] for beat in outputs])
    rows = bench.config.rows
    bench.require_lines(rows * sum(beat["in_last"] for beat in inputs), len(outputs))
    model = TileMonitor(bench, lambda _: _rows([next(words) for _ in range(rows)]))
    beats = (Beat(words, drained=bool(words["in_first"])) for words in inputs)
    await check_stream(bench, model, beats, stress=False, held=FORMAT_PORTS)
    bench.finish()
