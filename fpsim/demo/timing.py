"""The timing diagrams of rtl/README.md, drawn from waves: python -m fpsim.demo.timing --out rtl/timing."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.report.files import write_set
from fpsim.report.timing import Diagram, Handshake, Row, RowKind, svg
from fpsim.report.vcd import Samples, read_cycles
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate
from fpsim.verify.sequence import Act, Step, write_sequence
from fpsim.verify.sequence import Sequence as Cycles

SMALL = ArrayConfig(rows=3, cols=2, unit=UnitConfig(acc_bits=16, hadamard_n=4))
RESET_CYCLES = 2  # before a sequence begins
TAIL = 1  # cycles shown after the last result


@dataclass(frozen=True)
class Scene:
    """One diagram.

    Attributes:
        name: of its file.
        title: its heading.
        unit: whose waves.
        rows: signals from top to bottom; an empty one is a space.
        words: signals that are words, each with the valid under which it counts.
        handshakes: (valid, ready), the rows from the first to the last of the names given.
        steps: what the unit is driven with; empty: it has a bench of its own.
        bench: that bench.
        window: first and last cycle shown, out of the samples; None: from the first step to the last result.
    """

    name: str
    title: str
    unit: str
    rows: tuple[str, ...]
    words: dict[str, str]
    handshakes: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...] = ()
    bench: str | None = None
    window: Callable[[Samples], tuple[int, int]] | None = None


def diagram_of(scene: Scene, cache: Path | None = None) -> Diagram:
    """Simulate a scene with waves and read its diagram out of them.

    Raises:
        RtlMismatch, SimulationError, ToolMissing, BuildError: see `fpsim.verify.runner.simulate`.
    """
    with tempfile.TemporaryDirectory(prefix="fpsim-timing-") as name:
        waves, file = Path(name, "waves.vcd"), Path(name, "steps.json")
        if scene.bench is None:
            write_sequence(file, Cycles(scene.unit, SMALL, 0, scene.steps))
            job = Job(scene.unit, SMALL, kinds=("sequences",), replay_file=str(file))
        else:
            job = Job(scene.unit, SMALL, kinds=("random",))
        simulate(job, cache, bench=scene.bench, waves=waves)
        signals = [signal for signal in scene.rows if signal]
        samples = read_cycles(waves, job.unit.top, signals)
    return _diagram(scene, samples)


def _diagram(scene: Scene, samples: Samples) -> Diagram:
    first, last = (scene.window or _whole(scene))(samples)
    rows = tuple(_row(scene, signal, samples, first, last) for signal in scene.rows)
    shakes = tuple(
        Handshake(valid, ready, tuple(s for s in _group(scene.rows, valid) if s))
        for valid, ready in scene.handshakes
    )
    return Diagram(scene.title, rows, shakes, 0)


def _group(rows: tuple[str, ...], signal: str) -> tuple[str, ...]:
    """The rows between the two spaces around a signal."""
    place = rows.index(signal)
    start = max((i + 1 for i, row in enumerate(rows[:place]) if not row), default=0)
    end = next((i for i, row in enumerate(rows) if i > place and not row), len(rows))
    return rows[start:end]


def _row(scene: Scene, signal: str, samples: Samples, first: int, last: int) -> Row:
    if not signal:
        return Row("")
    values = samples[signal][first : last + 1]
    kind: RowKind = "clock" if signal == "clk_i" else "bit"
    if signal in scene.words:
        kind = "word"
        valid = samples[scene.words[signal]][first : last + 1]
        values = [value if counts else None for value, counts in zip(values, valid, strict=True)]
    return Row(signal, kind, tuple(values))


def _whole(scene: Scene) -> Callable[[Samples], tuple[int, int]]:
    """From the first step to a cycle after the last in which a result was accepted."""

    def window(samples: Samples) -> tuple[int, int]:
        taken = zip(samples["out_valid_o"], samples["out_ready_i"], strict=True)
        last = max(i for i, pair in enumerate(taken) if pair == (1, 1))
        return RESET_CYCLES, last + TAIL

    return window


def _about(valid: str, ready: str, before: int, after: int) -> Callable[[Samples], tuple[int, int]]:
    """Some cycles around the first in which a channel's word is on offer, and the last that it moves in."""

    def window(samples: Samples) -> tuple[int, int]:
        offered = samples[valid].index(1)
        moved = next(i for i in range(offered, len(samples[valid])) if samples[ready][i] == 1)
        return offered - before, moved + after

    return window


def _packet(valid: str, last: str, before: int, after: int) -> Callable[[Samples], tuple[int, int]]:
    """Some cycles around a stream's first packet."""

    def window(samples: Samples) -> tuple[int, int]:
        ends = (i for i, pair in enumerate(zip(samples[valid], samples[last], strict=True)) if pair == (1, 1))
        return samples[valid].index(1) - before, next(ends) + after

    return window


def _step(act: Act, ready: bool = True, **words: int) -> Step:
    return Step(act, words, ready)


STREAM_ROWS = ("clk_i", "", "in_valid_i", "in_ready_o")


def _queue_scene(name: str, title: str, readies: str) -> Scene:
    """A word offered in every cycle until six have gone in; the output ready as given."""
    steps = tuple(
        _step("beat" if i < 6 else "gap", ready == "1", data=0xA0 + i if i < 6 else 0)
        for i, ready in enumerate(readies)
    )
    return Scene(
        name,
        title,
        name,
        (*STREAM_ROWS, "data_i", "", "out_valid_o", "out_ready_i", "data_o"),
        {"data_i": "in_valid_i", "data_o": "out_valid_o"},
        (("in_valid_i", "in_ready_o"), ("out_valid_o", "out_ready_i")),
        steps,
    )


def _hadamard_scene() -> Scene:
    """Beats with a gap; the output stalls before the gap has come through."""
    readies, beats = "111000011111", "110111110000"
    steps = tuple(
        _step("beat" if beat == "1" else "gap", ready == "1", enable=0, signs=0, x=i + 1)
        for i, (ready, beat) in enumerate(zip(readies, beats, strict=True))
    )
    return Scene(
        "hadamard",
        "fpsim_hadamard, N = 4 (two stages), passing on: a gap closes while the output stalls",
        "hadamard",
        (*STREAM_ROWS, "x_i", "", "out_valid_o", "out_ready_i", "y_o"),
        {"x_i": "in_valid_i", "y_o": "out_valid_o"},
        (("in_valid_i", "in_ready_o"), ("out_valid_o", "out_ready_i")),
        steps,
    )


def _array_scene() -> Scene:
    """Three tiles back to back: the second goes in while the first drains; the third waits for a stall."""
    depths = (5, 5, 1)
    marks = [(int(k == 0), int(k == depth - 1)) for depth in depths for k in range(depth)]
    readies = "1" * 9 + "000" + "1" * 14
    steps = []
    for i, ready in enumerate(readies):
        first, last = marks[i] if i < len(marks) else (0, 0)
        words = {"a_fmt": 3, "b_fmt": 3, "in_first": first, "in_last": last}
        codes = {"a_codes": 0x321, "b_codes": 0x11 if i < depths[0] else 0x22}
        flags = dict.fromkeys(("in_shift", "in_a_low", "in_b_low"), 0)
        steps.append(_step("beat" if i < len(marks) else "gap", ready == "1", **words, **codes, **flags))
    return Scene(
        "mac_array",
        "fpsim_mac_array, 3 × 2, three tiles (K = 5, 5, 1) back to back, and a drain that stalls",
        "mac_array",
        (
            *STREAM_ROWS,
            "in_first_i",
            "in_last_i",
            "",
            "out_valid_o",
            "out_ready_i",
            "out_acc_o",
            "out_last_o",
        ),
        {
            "out_acc_o": "out_valid_o",
            "in_first_i": "in_valid_i",
            "in_last_i": "in_valid_i",
            "out_last_o": "out_valid_o",
        },
        (("in_valid_i", "in_ready_o"), ("out_valid_o", "out_ready_i")),
        tuple(steps),
    )


def _lite_scene() -> Scene:
    """The first register write of a layer."""
    address = ("s_axil_awvalid", "s_axil_awready", "s_axil_awaddr")
    data = ("s_axil_wvalid", "s_axil_wready", "s_axil_wdata", "s_axil_wstrb")
    answer = ("s_axil_bvalid", "s_axil_bready", "s_axil_bresp")
    words = {"s_axil_awaddr": "s_axil_awvalid", "s_axil_wdata": "s_axil_wvalid"}
    return Scene(
        "top_write",
        "fpsim_top: a register write on AXI4-Lite",
        "top",
        ("clk_i", "", *address, "", *data, "", *answer),
        words | {"s_axil_wstrb": "s_axil_wvalid", "s_axil_bresp": "s_axil_bvalid"},
        tuple((f"s_axil_{channel}valid", f"s_axil_{channel}ready") for channel in ("aw", "w", "b")),
        bench="fpsim.verify.benches.top_timing_tests",
        window=_about("s_axil_awvalid", "s_axil_bvalid", 1, 2),
    )


def _packet_scene() -> Scene:
    """The packet of a tile's results."""
    payload = ("m_axis_y_tdata", "m_axis_y_tkeep", "m_axis_y_tlast")
    return Scene(
        "top_packet",
        "fpsim_top: a packet of results on AXI4-Stream, its first beat not taken at once",
        "top",
        ("clk_i", "", "m_axis_y_tvalid", "m_axis_y_tready", *payload),
        dict.fromkeys(payload, "m_axis_y_tvalid"),
        (("m_axis_y_tvalid", "m_axis_y_tready"),),
        bench="fpsim.verify.benches.top_timing_tests",
        window=_packet("m_axis_y_tvalid", "m_axis_y_tlast", 2, 4),
    )


SCENES: tuple[Scene, ...] = (
    _hadamard_scene(),
    _array_scene(),
    _queue_scene("skid", "fpsim_skid: a register slice fills up behind a stall", "11000011111111"),
    _queue_scene(
        "fifo", "fpsim_fifo, Depth = 3: full, it takes none, even while it gives one away", "10000011111111"
    ),
    _lite_scene(),
    _packet_scene(),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate every scene and write the diagrams, all of them or none."""
    parser = argparse.ArgumentParser(prog="python -m fpsim.demo.timing", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("rtl/timing"))
    options = parser.parse_args(arguments)
    write_set(options.out, {f"{scene.name}.svg": svg(diagram_of(scene)).encode() for scene in SCENES})


if __name__ == "__main__":
    main()
