"""Layers that the 4-bit array cannot multiply, on as many multipliers of the kind that can: R · C of them.

What is counted is as for the array (`fpsim.estimate.counts`): rows are quantized once, codes wait in SRAM,
sums stay where they are made, weights come from DRAM once. What differs:

    blocks   R · C / B dot products of B elements (fpsim_dot_mx, fpsim_dot_nvfp4) in the squarest grid G × H:
             G rows meet H columns, a block of each per cycle, under an 8-bit scale each. Codes and scales
             reach the units straight from SRAM, without the registers of a systolic array.
    groups   our own array, a tile for every group of K; the integer sum of a group is corrected for both zero
             points and scaled on its way out, and added to an FP32 sum that waits in SRAM.
    floats   R × C processing elements of FP16 or FP32 operands and an FP32 sum
             (rtl/compare/fpsim_pe_float.sv), no quantizer.

Stand-ins, ours: there is no RTL for quantizers of blocks and groups, nor for an epilogue of FP32 sums; rows
are charged with the array's own quantizers (for a group the dividing one, and its zero point), results with
the epilogue of exact sums that also gives FP32.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fpsim.array.config import ArrayConfig
from fpsim.array.cycles import tile_cycles, tile_period
from fpsim.estimate.band import ZERO, Band, total
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import UnitCosts
from fpsim.estimate.counts import BITS_PER_BYTE, FP16_BITS, NIBBLE_BITS, Buffer
from fpsim.estimate.memory import sram_energy
from fpsim.estimate.shapes import Layer

SCALE_BITS = 8  # E8M0, UE4M3
FP32_BITS = 32
BLOCK_UNITS = {32: "dot_mx", 16: "dot_nvfp4"}
BLOCK_LATENCY = 4  # from the last block to its sum
FLOAT_UNITS = {16: "pe_half", 32: "pe_single"}
DATA, FORMAT, INTEGERS = "gaussian", "e2m1", "int4"


@dataclass(frozen=True)
class BesideCost:
    """What a layer costs once: cycles, and energy in pJ by the names of `fpsim.estimate.PARTS`."""

    cycles: int
    parts_pj: dict[str, Band]

    @property
    def energy_pj(self) -> Band:
        """All parts together."""
        return total(list(self.parts_pj.values()))


class Beside:
    """Costs of layers on other multipliers, from one library's unit costs."""

    def __init__(self, config: ArrayConfig, units: UnitCosts, *, clock_mhz: float = 100.0) -> None:
        """Take the units' costs.

        Args:
            config: the accelerator whose number of multipliers is matched.
            units: unit costs of its units.
            clock_mhz: clock, for the leakage's share only.

        Raises:
            ValueError: costs of other units.
        """
        units.check(config)
        self._config, self._units = config, units
        self._cycle_ns = 1e3 / clock_mhz
        self._path = ("align", "hadamard", "amax", "row_scale", "quantizer")

    def blocks(self, layer: Layer, block: int) -> BesideCost:
        """A layer of 4-bit floats in blocks along K.

        Args:
            layer: its shape; `operands.rotated` tells whether rows pass the Hadamard engine.
            block: elements under one scale, 32 (MX) or 16 (NVFP4).

        Raises:
            ValueError: no unit for that block.
        """
        if block not in BLOCK_UNITS:
            raise ValueError(f"block={block}: expected one of {', '.join(map(str, BLOCK_UNITS))}")
        unit, m, n, k = BLOCK_UNITS[block], layer.m, layer.n, layer.k
        grid_rows, grid_cols = _grid(max(self._config.rows * self._config.cols // block, 1))
        number, blocks = grid_rows * grid_cols, _ceil(k, block)
        sums = _ceil(m, grid_rows) * _ceil(n, grid_cols)
        cycles = sums * blocks + BLOCK_LATENCY
        code_bits = blocks * (block * NIBBLE_BITS + SCALE_BITS)
        looks = 2 if layer.operands.rotated else 1  # the first finds its exponent
        buffers = [
            _buffer(m * k * FP16_BITS, looks),
            _read(m * code_bits, sums * grid_rows * code_bits),
            _read(n * (code_bits + FP16_BITS), sums * grid_cols * (code_bits + FP16_BITS)),
            _buffer(m * n * FP16_BITS, 0),
        ]
        beats = m * _ceil(k, self._config.unit.hadamard_n)
        rotated = beats if layer.operands.rotated else 0
        quantize = (self._beat("amax") + self._beat("quantizer")) * beats + self._beat("align") * 2 * rotated
        return self._cost(
            cycles,
            {
                "array": self._beat(unit) * (sums * blocks * number),
                "hadamard": self._beat("hadamard") * rotated,
                "quantize": quantize,
                "epilogue": self._results(m * n),
            },
            buffers,
            n * (code_bits + FP16_BITS),
            {unit: number, **dict.fromkeys(self._path, 1)},
        )

    def groups(self, layer: Layer, group: int) -> BesideCost:
        """A layer of asymmetric integers in groups along K.

        Args:
            layer: its shape, widths and passes.
            group: elements under one scale and zero point, at least 1.
        """
        if group < 1:
            raise ValueError(f"group={group}: expected at least 1")
        config, m, n, k, operands = self._config, layer.m, layer.n, layer.k, layer.operands
        groups, grid = _ceil(k, group), _ceil(m, config.rows) * _ceil(n, config.cols)
        tiles, beats = grid * groups, group * operands.passes
        period = tile_period(config, group, operands.passes)
        cycles = (tiles - 1) * period + tile_cycles(config, group, operands.passes)
        act_bits = k * operands.activation_bits + groups * (FP16_BITS + operands.activation_bits)
        weight_bits = k * operands.weight_bits + groups * (FP16_BITS + operands.weight_bits)
        partial = m * n * FP32_BITS
        buffers = [
            _buffer(m * k * FP16_BITS, 1),
            _read(m * act_bits, tiles * beats * config.rows * NIBBLE_BITS),
            _read(n * weight_bits, tiles * config.cols * beats * NIBBLE_BITS),
            Buffer(partial / BITS_PER_BYTE, partial * (groups - 1), partial * (groups - 1)),
            _buffer(m * n * FP16_BITS, 0),
        ]
        path_beats = m * _ceil(k, config.unit.hadamard_n)
        quantize = (self._beat("range") + self._beat("wide_quantizer") + self._beat("row_sum")) * path_beats
        quantize += (self._energy("zero_point", "row") + self._energy("row_scale", "row")) * (m * groups)
        correction = self._beat("zero_correction") * (m * n * groups / self._units.lanes("zero_correction"))
        path = ("range", "wide_quantizer", "row_sum", "zero_point", "row_scale")
        return self._cost(
            cycles,
            {
                "array": self._units.array_energy(config, tiles * beats, tiles, DATA, INTEGERS),
                "quantize": quantize,
                "epilogue": self._results(m * n * groups) + correction,
            },
            buffers,
            n * (weight_bits + FP16_BITS),
            dict.fromkeys(path, 1),
            leakage_nw=self._units.areas(config)["mac_array"].leakage_nw,
        )

    def floats(self, layer: Layer, bits: int = 16) -> BesideCost:
        """A layer of floating-point operands under FP32 sums, tiled as on the array; y is FP16.

        Args:
            layer: its shape.
            bits: of an operand, 16 (FP16) or 32 (FP32).

        Raises:
            ValueError: no unit for that width.
        """
        if bits not in FLOAT_UNITS:
            raise ValueError(f"bits={bits}: expected one of {', '.join(map(str, FLOAT_UNITS))}")
        config, m, n, k = self._config, layer.m, layer.n, layer.k
        tiles = _ceil(m, config.rows) * _ceil(n, config.cols)
        elements = config.rows * config.cols
        buffers = [
            _read(m * k * bits, tiles * k * config.rows * bits),
            _read(n * (k + 1) * bits, tiles * config.cols * (k + 1) * bits),
            _buffer(m * n * FP16_BITS, 0),
        ]
        return self._cost(
            (tiles - 1) * tile_period(config, k) + tile_cycles(config, k),
            {
                "array": self._energy(FLOAT_UNITS[bits], "mac") * (tiles * k * elements),
                "epilogue": self._results(m * n),
            },
            buffers,
            n * (k + 1) * bits,
            {FLOAT_UNITS[bits]: elements},
        )

    def _results(self, outputs: int) -> Band:
        return self._beat("wide_epilogue") * (outputs / self._units.lanes("wide_epilogue"))

    def _beat(self, unit: str) -> Band:
        return self._energy(unit, "beat")

    def _energy(self, unit: str, operation: str) -> Band:
        return self._units.energy(unit, operation, DATA, FORMAT)

    def _cost(
        self,
        cycles: int,
        parts: dict[str, Band],
        buffers: list[Buffer],
        dram_bits: int,
        units: dict[str, int],
        *,
        leakage_nw: float = 0.0,
    ) -> BesideCost:
        lanes = self._config.cols / self._units.lanes("wide_epilogue")
        leakage_nw += self._units.area("wide_epilogue").leakage_nw * lanes
        leakage_nw += sum(self._units.area(name).leakage_nw * number for name, number in units.items())
        leakage = leakage_nw * cycles * self._cycle_ns * 1e-6  # nW · ns is 1e-6 pJ
        every = {
            **parts,
            "sram": sram_energy(buffers, self._units.node_nm),
            "dram": load_constants().figures["dram_access"].value * dram_bits,
            "leakage": Band(leakage, leakage, leakage),
        }
        return BesideCost(cycles, {name: band for name, band in every.items() if band != ZERO})


def _grid(number: int) -> tuple[int, int]:
    """The squarest grid of so many units, not higher than wide."""
    rows = next(rows for rows in range(math.isqrt(number), 0, -1) if number % rows == 0)
    return rows, number // rows


def _buffer(bits: int, reads: int) -> Buffer:
    return Buffer(bits / BITS_PER_BYTE, bits, reads * bits)


def _read(bits: int, read_bits: int) -> Buffer:
    return Buffer(bits / BITS_PER_BYTE, bits, read_bits)


def _ceil(value: int, step: int) -> int:
    return -(-value // step)
