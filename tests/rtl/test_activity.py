"""The RTL's registers, seen in its waves, change as often as the kernels and the law say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fpsim.arith import toggles as law
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.array.cycles import drain_cycles
from fpsim.estimate.stimulus import Run, gaussian
from fpsim.kernels import toggles as kernel
from fpsim.kernels.quantizer import quantizer
from tests.rtl.waves_of import PERIOD, count_changes, run_icarus

pytestmark = pytest.mark.rtl

SIGNALS = {
    "a_skew": r"gen_a_lane\[\d+\]\.u_skew\..*line_q",
    "b_skew": r"gen_b_lane\[\d+\]\.u_skew\..*line_q",
    "a_operand": r".*\.u_pe\.a_q",
    "b_operand": r".*\.u_pe\.b_q",
    "product": r".*\.u_pe\.u_mac\.product",
    "acc": r".*\.u_pe\.u_mac\.acc_q",
    "out": r".*\.u_pe\..*out_q",
    "a_codes": "a_codes_i",
    "b_codes": "b_codes_i",
}


def array_run(config: ArrayConfig, a: np.ndarray, b: np.ndarray, fmts: tuple[str, str]) -> tuple[Run, int]:
    """A tile of zeros, a pause, then the layer's tiles as soon as they may come; and the layer's first cycle.

    Buses hold the last word while nothing is offered, as a memory that is not read does.
    """
    rows, cols, depth = config.rows, config.cols, a.shape[1]
    sides = []
    for codes, lanes in ((a, rows), (b, cols)):
        padded = np.zeros((-(-len(codes) // lanes) * lanes, depth), np.int64)
        padded[: len(codes)] = codes
        sides.append(padded.reshape(-1, lanes, depth))
    tiles = [(x, y) for x in sides[0] for y in sides[1]]
    drain, reset = drain_cycles(config), 3
    first = reset + depth + 3 * drain
    overlap = config.unit.overlap
    period = max(depth, drain) if overlap else depth + drain
    starts = [first + t * period for t in range(len(tiles))]
    if overlap and len(tiles) > 1:  # nothing waits for its drain yet when the second one comes
        starts = [first, *(first + depth + t * period for t in range(len(tiles) - 1))]
    cycles = starts[-1] + depth + 3 * drain
    flags = np.zeros((4, cycles), np.int64)  # valid, first, last, not in reset
    flags[3, reset:] = 1
    lanes = [np.zeros((cycles, n), np.int64) for n in (rows, cols)]
    for start, tile in zip([reset, *starts], [(0 * tiles[0][0], 0 * tiles[0][1]), *tiles], strict=True):
        flags[0, start : start + depth] = 1
        flags[1, start], flags[2, start + depth - 1] = 1, 1
        for lane, codes in zip(lanes, tile, strict=True):
            lane[start : start + depth] = codes.T
            lane[start + depth :] = codes.T[-1]
    columns = {
        "rst_ni": flags[3], "in_valid_i": flags[0], "in_first_i": flags[1], "in_last_i": flags[2],
        "a_codes_i": lanes[0], "b_codes_i": lanes[1], "out_ready_i": np.ones(cycles, np.int64),
        "a_fmt_i": np.full(cycles, OPERAND_FORMATS.index(fmts[0])),
        "b_fmt_i": np.full(cycles, OPERAND_FORMATS.index(fmts[1])),
    }  # fmt: skip
    return Run(columns, {}), first


@pytest.mark.parametrize(
    ("rows", "cols", "m", "n", "k", "unit", "fmts"),
    [
        (3, 4, 5, 9, 12, UnitConfig(), ("e2m1", "e2m1")),
        (3, 4, 5, 9, 12, UnitConfig(), ("e3m0", "int4")),
        (4, 3, 8, 9, 3, UnitConfig(), ("e2m1", "e1m2")),  # tiles wait for the drain
        (2, 3, 4, 5, 7, UnitConfig(product_cut=True), ("e3m0", "e2m1")),
        (3, 2, 5, 4, 6, UnitConfig(overlap=False), ("int4", "e1m2")),
    ],
    ids=["e2m1", "mixed", "waiting", "cut", "no-overlap"],
)
def test_the_array_changes_as_often(
    rows: int, cols: int, m: int, n: int, k: int, unit: UnitConfig, fmts: tuple[str, str], tmp_path: Path
) -> None:
    rng = np.random.default_rng([rows, cols, k])
    a, b = rng.integers(0, 16, (m, k), np.uint8), rng.integers(0, 16, (n, k), np.uint8)
    config = ArrayConfig(rows, cols, unit)
    run, first = array_run(config, a, b, fmts)
    inputs = {
        "rst_ni": 1, "a_fmt_i": 2, "b_fmt_i": 2, "in_valid_i": 1, "in_first_i": 1, "in_shift_i": 1,
        "in_last_i": 1, "in_a_low_i": 1, "in_b_low_i": 1, "a_codes_i": 4 * rows, "b_codes_i": 4 * cols,
        "out_ready_i": 1,
    }  # fmt: skip
    outputs = {"in_ready_o": 1, "out_valid_o": 1, "out_last_o": 1, "out_acc_o": cols * unit.acc_bits}
    wanted = ("Rows", "Cols", "Formats", "AccW", "Saturate", "Overlap", "ProductCut")
    parameters = {name: config.rtl_parameters()[name] for name in wanted}
    signals = {
        name: pattern
        for name, pattern in SIGNALS.items()
        if (name != "out" or unit.overlap) and (name != "a_skew" or rows > 1)
    }
    vcd = run_icarus(tmp_path, "fpsim_mac_array", parameters, inputs, outputs, run)
    seen = count_changes(vcd, signals, PERIOD * first - 1)
    # The buses show the layer's first word at its first cycle; the counts are from word to word.
    for name, codes, lanes in (("a_codes", a, rows), ("b_codes", b, cols)):
        seen[name] -= int(np.bitwise_count(codes[:lanes, 0]).sum())
    found = kernel.array_toggles(
        a, b, *fmts, rows=rows, cols=cols, acc_bits=unit.acc_bits, drain=drain_cycles(config),
        overlap=unit.overlap,
    ).toggles  # fmt: skip
    assert {name: found[name] for name in signals} == {name: seen[name] for name in signals}
    assert min(seen[name] for name in signals) > 0


@pytest.mark.parametrize("enable", [1, 0], ids=["rotates", "passes"])
@pytest.mark.parametrize("cut", [1, 2])
def test_the_hadamard_engine_changes_as_often(enable: int, cut: int, tmp_path: Path) -> None:
    config = ArrayConfig(unit=UnitConfig(hadamard_n=8))
    data, n, warm = gaussian(config, "e2m1"), 8, 8
    beats = data.aligned.astype(np.int64).reshape(-1, n)[:40]
    signs = np.tile((data.signs < 0).reshape(-1, n), (8, 1))[:40]
    lead = np.zeros((warm, n), np.int64)  # fills the pipeline, so that no register is unknown
    cycles = warm + len(beats)
    columns = {
        "rst_ni": (np.arange(cycles) > 1).astype(np.int64), "in_valid_i": np.ones(cycles, np.int64),
        "out_ready_i": np.ones(cycles, np.int64), "enable_i": np.full(cycles, enable),
        "x_i": np.concatenate([lead, beats]), "signs_i": np.concatenate([lead, signs]).astype(np.int64),
    }  # fmt: skip
    for name, held in (("x_i", beats[-1:]), ("signs_i", signs[-1:])):  # the last beat stays while it leaves
        columns[name] = np.concatenate([columns[name], np.repeat(held, 6, axis=0).astype(np.int64)])
    for name in ("rst_ni", "in_valid_i", "out_ready_i", "enable_i"):
        columns[name] = np.concatenate([columns[name], np.repeat(columns[name][-1:], 6)])
    inputs = {"rst_ni": 1, "enable_i": 1, "signs_i": n, "in_valid_i": 1, "x_i": 16 * n, "out_ready_i": 1}
    outputs = {"in_ready_o": 1, "out_valid_o": 1, "y_o": n * 19}
    parameters = {"N": n, "InW": 16, "Cut": cut}
    vcd = run_icarus(tmp_path, "fpsim_hadamard", parameters, inputs, outputs, Run(columns, {}))
    seen = count_changes(vcd, {"data": r".*\.data_q"}, PERIOD * warm - 1)
    # The zeros in front are a beat like another.
    every, own = np.concatenate([lead[:1], beats]), np.concatenate([signs[:1], signs])
    signed = np.where(own & enable, -every, every).astype(np.int32)
    assert kernel.hadamard_toggles(signed, 16, transform=bool(enable), cut=cut) == seen["data"] > 0
    by_law = law.hadamard_toggles(every.tolist(), (1 - 2 * own).tolist() if enable else None, 16, cut)
    assert by_law == seen["data"]


@pytest.mark.parametrize("fmt", OPERAND_FORMATS)
def test_the_quantizer_changes_as_often(fmt: str, tmp_path: Path) -> None:
    config = ArrayConfig(unit=UnitConfig(hadamard_n=8))
    data, n, width, lead = gaussian(config, fmt), 8, config.unit.rotated_bits, 4
    rotated = data.rotated[:3]
    codes = quantizer(rotated, data.amps[:3], fmt).reshape(-1, n)
    beats = np.concatenate([np.zeros((lead, n), np.int64), rotated.reshape(-1, n)])
    amps = np.concatenate([np.zeros(lead, np.int64), np.repeat(data.amps[:3], rotated.shape[1] // n)])
    ones = np.ones(len(beats), np.int64)
    columns = {
        "rst_ni": (np.arange(len(beats)) > 1).astype(np.int64), "in_valid_i": ones, "out_ready_i": ones,
        "h_i": beats, "amp_i": amps, "fmt_i": OPERAND_FORMATS.index(fmt) * ones,
    }  # fmt: skip
    inputs = {"rst_ni": 1, "in_valid_i": 1, "h_i": n * width, "amp_i": width, "fmt_i": 2, "out_ready_i": 1}
    outputs = {"in_ready_o": 1, "out_valid_o": 1, "codes_o": 4 * n}
    parameters = {"Lanes": n, "W": width, "Formats": 15}
    vcd = run_icarus(tmp_path, "fpsim_quantizer", parameters, inputs, outputs, Run(columns, {}))
    seen = count_changes(vcd, {"codes": "codes_q", "row": "h_i"}, PERIOD * lead - 1)
    zero = np.zeros((1, n), np.uint8)
    lanes = np.concatenate([zero, codes])
    assert kernel.word_toggles(lanes) == seen["codes"] > 0
    mask = (1 << width) - 1
    words = np.concatenate([zero.astype(np.int32), rotated.reshape(-1, n)]) & mask
    assert kernel.word_toggles(words.astype(np.int32)) == seen["row"] > 0
