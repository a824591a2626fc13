"""Replays on synthesized netlists: energy of every cycle with given data, and what is fitted to it.

The table of the processing element is fitted to made-up codes alone (all of them drawn evenly, Gaussian,
sparse) and judged by traces of real layers that it has not seen. A trace is one element's: the codes of a
row of activations and of a row of weights, tile after tile, as the array feeds them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.estimate.activity_table import ENDS, ElementTable, fit_table
from fpsim.estimate.characterize import WIRE, check_equal
from fpsim.estimate.energy import toggle_energy_fj
from fpsim.estimate.liberty import Library
from fpsim.estimate.netlist import Netlist
from fpsim.estimate.reference import Device, Reference
from fpsim.estimate.simulate import Bits, simulate
from fpsim.estimate.stimulus import Run
from fpsim.formats import get
from fpsim.kernels.quantizer import amax, quantizer
from fpsim.kernels.toggles import operand_words
from fpsim.kernels.toggles_element import CLEAR, TAKE, ElementTrace, element_trace

ELEMENT, ENGINE = "fpsim_pe", "fpsim_hadamard"
LEAD = 4  # cycles that bring the element to rest: CLEAR and TAKE of zeros, and a zero behind each
TILE, TILES = 55, 24  # of each made-up stimulus of two formats
DENSITIES = (0.5, 0.2, 0.05)  # shares of codes other than zero in sparse stimuli
LANES, CYCLES = 64, 220  # of a replayed layer

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Pair = tuple[Codes, Codes]  # activation and weight codes of a tile of one element


@dataclass(frozen=True, eq=False)
class Bench:
    """A netlist with its library, its RTL to compare with, and its energies of a transition (3, nets)."""

    name: str
    netlist: Netlist
    reference: Reference
    weights: Floats

    @classmethod
    def of(cls, name: str, netlist: Netlist, library: Library, reference: Reference) -> Bench:
        """With the energies of the three ends: no wires, wires, wires."""
        wires = (0.0, WIRE, WIRE)
        return cls(
            name, netlist, reference, np.stack([toggle_energy_fj(netlist, library, wire) for wire in wires])
        )

    @property
    def rest_fj(self) -> Floats:
        """(3,) energy of a cycle in which nothing but the clock moves."""
        still: Floats = self.weights[:, self.netlist.clock_net]
        return still

    def cycle_fj(self, run: Run) -> Floats:
        """(counted cycles, 3) energy of each cycle, low, mid and high, the clock's included.

        Raises:
            RuntimeError: the netlist computes something else than the RTL in a counted cycle.
        """
        bits: Bits = run.bits({name: len(self.netlist.ports[name]) for name in self.netlist.inputs})
        still = simulate(self.netlist, bits, skip=run.skip, weights=self.weights[:2])
        moving = simulate(self.netlist, bits, skip=run.skip, unit_delay=True, weights=self.weights[2:])
        expected = self.reference.run({self.name: bits})[self.name]
        for found in (still, moving):
            check_equal(self.name, self.netlist, found.outputs[run.skip :], expected[run.skip :])
        energy = np.concatenate([still.weighted, moving.weighted], axis=1)[run.skip :]
        with_clock: Floats = energy + self.rest_fj
        return with_clock


def element_parameters(config: ArrayConfig) -> dict[str, int]:
    """Parameters of the processing element."""
    every = config.rtl_parameters()
    return {name: every[name] for name in ("AccW", "Formats", "Saturate", "Overlap", "ProductCut")}


def engine_parameters(config: ArrayConfig) -> dict[str, int]:
    """Parameters of the Hadamard engine."""
    unit = config.unit
    return {"N": unit.hadamard_n, "InW": unit.align_bits, "Cut": unit.hadamard_cut}


def device(module: str, parameters: dict[str, int], netlist: Netlist) -> Device:
    """The module as the reference builds it, its ports as yosys found them."""
    widths = {name: len(nets) for name, nets in netlist.ports.items()}
    inputs, outputs = ({name: widths[name] for name in names} for names in (netlist.inputs, netlist.outputs))
    return Device(module, parameters, inputs, outputs, clocked=True)


def build_reference(devices: dict[str, Device], sources: list[Path], folder: Path) -> Reference:
    """The RTL of all of them in one simulation, in a folder made for it."""
    folder.mkdir()
    return Reference(devices, sources, folder)


def element_run(pairs: Iterable[Pair], a_fmt: str, b_fmt: str, acc_bits: int) -> tuple[Run, ElementTrace]:
    """Tiles one after the other through one element: its inputs, and what its registers show.

    The trace has the counted cycles of the run: all but the lead, in which the element comes to rest.
    """
    a_parts, b_parts, op_parts = [np.zeros(LEAD, np.int64)], [np.zeros(LEAD, np.int64)], [[CLEAR, 0, TAKE, 0]]
    for a, b in pairs:
        a_parts.append(a)
        b_parts.append(b)
        op_parts.append([TAKE, *[0] * (len(a) - 1)])
    zeros = np.zeros(1, np.int64)  # the array's registers after the last beat
    a, b = np.concatenate([*a_parts, zeros]), np.concatenate([*b_parts, zeros])
    op = np.concatenate([*map(np.array, op_parts), [TAKE]])
    words = [operand_words(get(f)) for f in (a_fmt, b_fmt)]
    run = Run({"a_i": op << 8 | words[0][a], "b_i": words[1][b]}, {}, LEAD + 1)
    # The operand registers are one cycle behind the inputs.
    behind = [np.concatenate([zeros, column[:-1]]) for column in (a, b, op)]
    trace = element_trace(behind[0], behind[1], behind[2], a_fmt, b_fmt, acc_bits)
    rest = slice(LEAD + 1, None)
    return run, ElementTrace(
        trace.a_from[rest], trace.a_to[rest], trace.b_from[rest], trace.b_to[rest], trace.counts[rest]
    )


def layer_pairs(
    a_codes: NDArray[np.uint8], b_codes: NDArray[np.uint8], config: ArrayConfig, seed: int
) -> list[Pair]:
    """Traces of `LANES` elements drawn at random, `CYCLES` cycles of each, as the array feeds them.

    An element keeps its row of activations while the channels, C further with every tile, change.

    Args:
        a_codes, b_codes: (M, K) and (N, K) codes of a layer.
        config: the array.
        seed: of the draw.
    """
    random = np.random.default_rng(seed)
    pairs = []
    for _ in range(LANES):
        row, channel, left = int(random.integers(len(a_codes))), int(random.integers(len(b_codes))), CYCLES
        while left:
            length = min(left, a_codes.shape[1])
            a, b = a_codes[row, :length], b_codes[channel, :length]
            pairs.append((a.astype(np.int64), b.astype(np.int64)))
            channel, left = (channel + config.cols) % len(b_codes), left - length
    return pairs


def gaussian_codes(random: np.random.Generator, shape: tuple[int, int], fmt: str) -> Codes:
    """Codes of Gaussian numbers, each row under the scale of its largest."""
    numbers = (random.standard_normal(shape) * (1 << 16)).astype(np.int32)
    return quantizer(numbers, amax(numbers), fmt).astype(np.int64)


def training_pairs(a_fmt: str, b_fmt: str, seed: int) -> list[Pair]:
    """Made-up tiles of two formats: even, Gaussian, and Gaussian with most codes zero, on either side."""
    random = np.random.default_rng([seed, OPERAND_FORMATS.index(a_fmt), OPERAND_FORMATS.index(b_fmt)])
    shape = (TILES, TILE)
    gaussian = [gaussian_codes(random, shape, fmt) for fmt in (a_fmt, b_fmt)]
    sets = [tuple(random.integers(0, 16, (2, *shape))), tuple(gaussian)]
    for density, thin in itertools.product(DENSITIES, ((1, 0), (0, 1), (1, 1))):
        kept = [random.random(shape) < (density if side else 1.0) for side in thin]
        zeros = [_zeros(random, shape, fmt) for fmt in (a_fmt, b_fmt)]
        sets.append(tuple(map(np.where, kept, gaussian, zeros)))
    return [(a[t], b[t]) for a, b in sets for t in range(TILES)]


def _zeros(random: np.random.Generator, shape: tuple[int, int], fmt: str) -> Codes:
    """Codes worth 0: of floats with either sign, as a quantizer gives them."""
    return random.integers(0, 2, shape) * 8 if get(fmt).kind != "int" else np.zeros(shape, np.int64)


def fit_element(bench: Bench, config: ArrayConfig, seed: int = 1) -> tuple[ElementTable, dict[str, object]]:
    """Fit the table to made-up codes of all pairs of formats; and how well it follows its own cycles."""
    traces, energies = [], []
    for a_fmt, b_fmt in itertools.product(config.unit.formats, repeat=2):
        run, trace = element_run(training_pairs(a_fmt, b_fmt, seed), a_fmt, b_fmt, config.unit.acc_bits)
        traces.append((trace, a_fmt, b_fmt))
        energies.append(bench.cycle_fj(run))
    table = fit_table(traces, energies)
    found = np.concatenate([table.trace_fj(*given) for given in traces])
    true = np.concatenate(energies)
    unexplained = ((true - found) ** 2).sum(axis=0) / ((true - true.mean(axis=0)) ** 2).sum(axis=0)
    return table, {
        "cycles": len(true),
        "mean_fj": dict(zip(ENDS, np.round(true.mean(axis=0), 3).tolist(), strict=True)),
        "r_squared": dict(zip(ENDS, np.round(1 - unexplained, 4).tolist(), strict=True)),
    }


def replay(
    bench: Bench, table: ElementTable, pairs: list[Pair], a_fmt: str, b_fmt: str, acc_bits: int
) -> tuple[Floats, Floats]:
    """Mean energy of a cycle in fJ, (3,): of the netlist, and by the table."""
    run, trace = element_run(pairs, a_fmt, b_fmt, acc_bits)
    return bench.cycle_fj(run).mean(axis=0), table.trace_fj(trace, a_fmt, b_fmt).mean(axis=0)


def engine_run(aligned: NDArray[np.int32], signs: NDArray[np.int8] | None, config: ArrayConfig) -> Run:
    """Beats of aligned rows through the Hadamard engine, after a reset; signs None: it passes them."""
    n = config.unit.hadamard_n
    beats = aligned.reshape(-1, n).astype(np.int64)
    count, fill = len(beats), config.unit.hadamard_registers
    negative = np.zeros((count, n), np.int64)
    if signs is not None:
        negative = np.tile((signs < 0).astype(np.int64).reshape(-1, n), (count * n // len(signs), 1))
    reset = 2
    lead = np.zeros((reset, n), np.int64)
    ones = np.concatenate([np.zeros(reset, np.int64), np.ones(count, np.int64)])
    columns = {
        "rst_ni": ones, "in_valid_i": ones, "out_ready_i": np.ones(reset + count, np.int64),
        "enable_i": ones * (signs is not None), "x_i": np.concatenate([lead, beats]),
        "signs_i": np.concatenate([lead, negative]),
    }  # fmt: skip
    return Run(columns, {"beat": count - fill}, reset + fill, True)


def fit_line(rates: list[float], energies_pj: list[Floats]) -> Floats:
    """(3, 2): energy at rate 0, and per unit of rate, by least squares."""
    design = np.stack([np.ones(len(rates)), np.array(rates)], axis=1)
    line: Floats = np.linalg.lstsq(design, np.stack(energies_pj), rcond=None)[0].T
    return line
