"""Cover points of fpsim_mac_array: formats and overflow; tile positions against waits on both sides."""

from __future__ import annotations

from itertools import product

from fpsim.arith.decode import decode
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.verify.covergroup import Unreachable, unreachable
from fpsim.verify.covergroups.operands import CODES, climb_beats, no_signed_zero, operand_code
from fpsim.verify.covergroups.sampler import (
    AMOUNTS,
    OVERFLOWS,
    RESULT_SIGNS,
    StreamSampler,
    Words,
    beyond,
    sign_of,
)
from fpsim.verify.ports import Unit

LONGEST_TILE = 9_000  # beats; a tile that takes more of the largest products to overflow is in no bench
POSITIONS = ("only", "first", "middle", "last")
PASSES = ("1", "2, activations wide", "2, weights wide", "4", "loose")
PASS_ORDER = {
    PASSES[0]: ((0, 0),),
    PASSES[1]: ((0, 0), (1, 0)),
    PASSES[2]: ((0, 0), (0, 1)),
    PASSES[3]: ((0, 0), (0, 1), (1, 0), (1, 1)),
}
RAGGED = ("full", "rows", "columns", "both")
# Units of every code, by (format, whether a low nibble), and the code's bin.
VALUES = {
    (name, low): [decode(code, name, low=low).value for code in range(16)]
    for name, low in product(OPERAND_FORMATS, (False, True))
    if name == "int4" or not low
}
KINDS = {key: [operand_code(decode(code, key[0], low=key[1])) for code in range(16)] for key in VALUES}


def position(first: bool, last: bool) -> str:
    """Where a beat stands in its tile, or a row among its rows, as a bin of `POSITIONS`."""
    if first and last:
        return "only"
    return "first" if first else "last" if last else "middle"


class MacArraySampler(StreamSampler):
    """What a tile adds up to, element by element; where its beats and rows meet gaps and stalls."""

    def __init__(self, unit: Unit, config: ArrayConfig) -> None:
        wide = config.unit.wide
        formats = config.unit.formats
        points = {
            "a_format": formats,
            "b_format": formats,
            "a_code": CODES,
            "b_code": CODES,
            "sum": RESULT_SIGNS,
            "overflow": OVERFLOWS,
            "passes": PASSES if wide else PASSES[:1],
            "ragged": _ragged(config),
            "beat": POSITIONS,
            "before": ("nothing", "a tile"),
            "row": _rows(config),
        }
        crosses = [
            ("a_format", "b_format", "sum"),
            ("a_format", "b_format", "a_code", "b_code"),
            ("a_format", "b_format", "passes"),
            ("passes", "ragged"),
            ("beat", "gap", "refused"),
            ("before", "beat", "gap", "refused"),
            ("row", "stalled"),
        ]
        if wide:
            crosses.append(("a_format", "b_format", "overflow"))
        super().__init__(unit, config, points, crosses, _rules(config))
        self._a, self._b = (next(p for p in unit.inputs if p.name == f"{s}_codes") for s in "ab")
        self.reset()

    def reset(self) -> None:
        """No tile, no row on its way."""
        super().reset()
        self._tile: list[Words] = []
        self._owed = self._row = 0

    def accepted(self, seen: Words) -> None:
        """A beat; the last one of a tile brings samples of its elements."""
        first, last = bool(seen["in_first"]), bool(seen["in_last"])
        where = position(first, last)
        if first:
            self._tile = []
            before = "a tile" if self._owed else "nothing"
            self.sample(before=before, beat=where, **self._waits())
        else:
            self.sample(beat=where, **self._waits())
        self._tile.append(seen)
        if last:
            self._owed += self.config.rows
            self._sums()

    def _waits(self) -> dict[str, str]:
        return {} if self.fresh else {"gap": self.gap, "refused": self.refused}

    def result(self, inputs: Words, expected: Words) -> None:
        """A row that left."""
        self._owed -= 1
        self.sample(row=position(self._row == 0, bool(expected["out_last"])), stalled=self.stalled)
        self._row = 0 if expected["out_last"] else self._row + 1

    def _sums(self) -> None:
        """Samples of a whole tile."""
        config, tile = self.config, self._tile
        wide = config.unit.wide
        names = {side: OPERAND_FORMATS[tile[0][f"{side}_fmt"]] for side in "ab"}
        lows = [
            {side: bool(wide and names[side] == "int4" and beat[f"in_{side}_low"]) for side in "ab"}
            for beat in tile
        ]
        shifts = [bool(wide and beat["in_shift"]) for beat in tile]
        passes = _passes([(int(low["a"]), int(low["b"])) for low in lows], shifts)
        both = {"a_format": names["a"], "b_format": names["b"]}
        self.sample(**both, passes=passes)
        self.sample(passes=passes, ragged=self._ragged(tile))
        a_lanes = [self._lanes("a", beat, names["a"], low["a"]) for beat, low in zip(tile, lows, strict=True)]
        b_lanes = [self._lanes("b", beat, names["b"], low["b"]) for beat, low in zip(tile, lows, strict=True)]
        for r, c in product(range(config.rows), range(config.cols)):
            acc, overflow = 0, set[str]()
            for index, shift in enumerate(shifts):
                (a, a_code), (b, b_code) = a_lanes[index][r], b_lanes[index][c]
                self.sample(**both, a_code=a_code, b_code=b_code)
                total = (0 if index == 0 else 16 * acc if shift else acc) + a * b
                acc, way = self._register(total)
                overflow.add(way)
            self.sample(**both, sum=sign_of(acc))
            for way in overflow - {"none"} or {"none"}:
                self.sample(**both, overflow=way)

    def _register(self, total: int) -> tuple[int, str]:
        bits = self.config.unit.acc_bits
        way, half = beyond(total, bits), 1 << (bits - 1)
        if way == "none":
            return total, way
        if self.config.unit.overflow == "saturate":
            return (half - 1 if way == "positive" else -half), way
        return (total + half) % (2 * half) - half, way

    def _lanes(self, side: str, beat: Words, name: str, low: bool) -> list[tuple[int, str]]:
        port = self._a if side == "a" else self._b
        codes = [port.lane(beat[port.name], lane) for lane in range(port.lanes)]
        return [(VALUES[name, low][code], KINDS[name, low][code]) for code in codes]

    def _ragged(self, tile: list[Words]) -> str:
        padded = [
            port.lanes > 1 and not any(port.lane(beat[port.name], port.lanes - 1) for beat in tile)
            for port in (self._a, self._b)
        ]
        return RAGGED[padded[0] + 2 * padded[1]]


def _passes(lows: list[tuple[int, int]], shifts: list[bool]) -> str:
    """Which passes the beats of a tile are, as a bin of `PASSES`."""
    for name, order in PASS_ORDER.items():
        depth = len(lows) // len(order)
        if lows != [pair for pair in order for _ in range(depth)]:
            continue
        heavier = [sum(order[max(n - 1, 0)]) for n in range(len(order))]
        starts = [n * depth for n, pair in enumerate(order) if sum(pair) > heavier[n]]
        if [index for index, shift in enumerate(shifts) if shift] == starts:
            return name
    return PASSES[-1]


def _ragged(config: ArrayConfig) -> tuple[str, ...]:
    rows, columns = config.rows > 1, config.cols > 1
    return tuple(
        name for name, there in zip(RAGGED, (True, rows, columns, rows and columns), strict=True) if there
    )


def _rows(config: ArrayConfig) -> tuple[str, ...]:
    if config.rows == 1:
        return POSITIONS[:1]
    return tuple(name for name in POSITIONS[1:] if name != "middle" or config.rows > 2)


def _rules(config: ArrayConfig) -> list[Unreachable]:
    """What the port's rules and the array's flow leave out."""
    unit = config.unit
    waits = AMOUNTS[1:]
    rules = [
        unreachable(
            "only a finished tile makes the array refuse beats", beat=("middle", "last"), refused=waits
        ),
        unreachable(
            "these beats are not the first of a tile", before=("nothing", "a tile"), beat=("middle", "last")
        ),
    ]
    if unit.overlap:
        reason = "a beat is refused while a finished tile is still inside, all of its rows to come"
        rules.append(unreachable(reason, before="nothing", refused=waits))
        reason = "the last row of a tile takes more cycles than that to leave"
        rules.append(unreachable(reason, before="nothing", gap=AMOUNTS[:2]))
    else:
        reason = "without overlap beats are taken only when the last row has left"
        rules.append(unreachable(reason, before="a tile"))
    floats = tuple(name for name in unit.formats if name != "int4")
    rules += no_signed_zero(unit.formats, "a_format", "a_code", "b_format", "b_code")
    if unit.wide and floats:
        reason = "the passes of wide codes are of int4"
        rules.append(unreachable(reason, a_format=floats, passes=(PASSES[1], PASSES[3])))
        rules.append(unreachable(reason, b_format=floats, passes=(PASSES[2], PASSES[3])))
    for way, beats in zip(OVERFLOWS[1:], climb_beats(config), strict=True):
        if beats > LONGEST_TILE and not unit.wide:
            reason = f"it takes {beats} beats of the largest products"
            rules.append(unreachable(reason, overflow=way))
    return rules
