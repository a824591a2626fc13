"""The array out of memories: the law's rows, formula's cycles, faults noticed, and the speed it is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from fpsim.arith.decode import decode
from fpsim.arith.mac import mac
from fpsim.arith.mul import mul
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.array.cycles import sequence_cycles
from fpsim.bench.jobs_rtl import array_from_memory
from fpsim.verify.array_memory import run_memory, write_memories
from fpsim.verify.faults import FAULTS, injected
from fpsim.verify.mismatch import RtlMismatch

BY_NAME = {fault.name: fault for fault in FAULTS}
FOUR = BY_NAME["mac-array-skew"].config
LEAST_RATIO = 20


@pytest.mark.parametrize("overflow", ["wrap", "saturate"])
def test_the_memories_hold_beats_and_what_the_law_makes_of_them(tmp_path: Path, overflow: str) -> None:
    config = ArrayConfig(2, 3, UnitConfig(acc_bits=9, overflow=overflow))
    tiles, depth = 3, 7
    write_memories(tmp_path, config, tiles, depth, seed=5)
    beats = [int(line, 16) for line in (tmp_path / "beats.hex").read_text(encoding="ascii").split()]
    rows = [int(line, 16) for line in (tmp_path / "rows.hex").read_text(encoding="ascii").split()]
    assert (len(beats), len(rows)) == (tiles * depth, tiles * config.rows)
    acc = [[0] * config.cols for _ in range(config.rows)]
    for index, beat in enumerate(beats):
        first, last = beat >> 24 & 1, beat >> 22 & 1
        assert (first, last) == (int(index % depth == 0), int(index % depth == depth - 1))
        assert beat >> 20 & 0b1011 == 0  # no passes
        a_fmt, b_fmt = (OPERAND_FORMATS[beat >> at & 3] for at in (27, 25))
        for r in range(config.rows):
            for c in range(config.cols):
                a, b = decode(beat >> 4 * r & 15, a_fmt), decode(beat >> 8 + 4 * c & 15, b_fmt)
                acc[r][c] = mac(acc[r][c], mul(a, b), first=bool(first), acc_bits=9, overflow=overflow)
        for r in range(config.rows) if last else ():
            word = sum((acc[r][c] & 511) << 9 * c for c in range(config.cols))
            assert rows[index // depth * config.rows + r] == word | int(r == config.rows - 1) << 27
    assert len({beat >> 25 for beat in beats}) == 1  # the formats stay


@pytest.mark.rtl
def test_every_row_is_compared_at_full_speed() -> None:
    tiles, depth = 300, 20
    run = run_memory(FOUR, tiles, depth, seed=3)
    assert run.macs == tiles * depth * 16
    assert run.cycles == sequence_cycles(FOUR, [depth] * tiles)


@pytest.mark.rtl
def test_a_wrong_row_is_noticed() -> None:
    with injected(BY_NAME["mac-array-skew"]) as folder:
        with pytest.raises(RtlMismatch, match=r"fpsim_array_memory: \d+ rows differ from the law") as failure:
            run_memory(FOUR, 300, 20, seed=3, rtl=folder)
        assert "  row        0\n" in str(failure.value)


@pytest.mark.rtl
def test_memories_are_faster_than_pins() -> None:
    comparison = array_from_memory(4, 500, depth=64, rounds=1)
    assert comparison.ratio > LEAST_RATIO
    assert comparison.ratio == pytest.approx(comparison.peer_seconds / comparison.seconds)
    assert comparison.peak_bytes > 1 << 20


@pytest.mark.parametrize(("tiles", "depth"), [(0, 8), (1, 0), (16_385, 1), (2, 1 << 17)])
def test_more_than_the_memories_hold_is_refused(tiles: int, depth: int) -> None:
    with pytest.raises(
        ValueError, match=r"(tiles|depth)=\d+: expected 1 to \d+, as much as the memories hold"
    ):
        run_memory(FOUR, tiles, depth)
