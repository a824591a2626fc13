"""What a tile's beats add up to: by the whole codes where they are passes of nibbles, else beat by beat."""

from __future__ import annotations

from itertools import pairwise

from fpsim.arith.decode import Operand, decode
from fpsim.arith.mac import mac
from fpsim.arith.mul import mul
from fpsim.arith.passes import passes, passes_array
from fpsim.array.config import OPERAND_FORMATS, UnitConfig
from fpsim.verify.benches.harness import Words
from fpsim.verify.units import Port, Unit

Codes = list[list[int]]


def sums(tile: list[Words], unit: Unit, config: UnitConfig) -> Codes:
    """The accumulators (R, C) after a tile.

    Args:
        tile: what was on the input ports in each beat.
        unit: the array's ports.
        config: what it is built with.
    """
    whole = _whole_codes(tile, unit, config)
    if whole is None:
        return _beat_by_beat(tile, unit, config)
    a, b, a_fmt, b_fmt = whole
    return passes_array(a, b, a_fmt, b_fmt, config.acc_bits, config.overflow)


def low_of(beat: Words, side: str, config: UnitConfig) -> bool:
    """Whether one side of a beat is a low nibble: the flag counts with int4 in an array that has passes."""
    return bool(beat[f"in_{side}_low"]) and config.wide and OPERAND_FORMATS[beat[f"{side}_fmt"]] == "int4"


def _shift_of(beat: Words, config: UnitConfig) -> bool:
    return bool(beat["in_shift"]) and config.wide


def _port(unit: Unit, side: str) -> Port:
    return next(port for port in unit.inputs if port.name == f"{side}_codes")


def _whole_codes(tile: list[Words], unit: Unit, config: UnitConfig) -> tuple[Codes, Codes, str, str] | None:
    """Both sides' codes and formats, put together from nibbles; None if the beats are no passes in order."""
    lows = [(int(low_of(beat, "a", config)), int(low_of(beat, "b", config))) for beat in tile]
    names = [
        "int8" if any(low[s] for low in lows) else OPERAND_FORMATS[tile[0][f"{side}_fmt"]]
        for s, side in enumerate("ab")
    ]
    order = passes(*names)
    depth = len(tile) // len(order)
    lighter = [False, *(sum(later) > sum(earlier) for earlier, later in pairwise(order))]
    shifts = [light and k == 0 for light in lighter for k in range(depth)]
    if lows != [pair for pair in order for _ in range(depth)]:
        return None
    if [_shift_of(beat, config) for beat in tile] != shifts:
        return None
    sides = []
    for s, side in enumerate("ab"):
        port = _port(unit, side)
        nibbles: dict[int, list[int]] = {}  # by their place, 0 the highest: the words of a pass
        for number, pair in enumerate(order):
            words = [beat[port.name] for beat in tile[number * depth : (number + 1) * depth]]
            if nibbles.setdefault(pair[s], words) != words:
                return None
        parts = [nibbles[place] for place in sorted(nibbles)]
        sides.append(
            [[_joined(port, lane, words) for words in zip(*parts, strict=True)] for lane in range(port.lanes)]
        )
    return sides[0], sides[1], names[0], names[1]


def _joined(port: Port, lane: int, words: tuple[int, ...]) -> int:
    code = 0
    for word in words:
        code = 16 * code + port.lane(word, lane)
    return code


def _beat_by_beat(tile: list[Words], unit: Unit, config: UnitConfig) -> Codes:
    a_port, b_port = _port(unit, "a"), _port(unit, "b")
    acc = [[0] * b_port.lanes for _ in range(a_port.lanes)]
    for index, beat in enumerate(tile):
        a, b = _operands(beat, "a", a_port, config), _operands(beat, "b", b_port, config)
        shift = _shift_of(beat, config)
        for row, left in zip(acc, a, strict=True):
            for c, right in enumerate(b):
                row[c] = mac(
                    row[c],
                    mul(left, right),
                    first=index == 0,
                    shift=shift,
                    acc_bits=config.acc_bits,
                    overflow=config.overflow,
                )
    return acc


def _operands(beat: Words, side: str, port: Port, config: UnitConfig) -> list[Operand]:
    fmt = OPERAND_FORMATS[beat[f"{side}_fmt"]]
    low = low_of(beat, side, config)
    return [decode(port.lane(beat[port.name], lane), fmt, low=low) for lane in range(port.lanes)]
