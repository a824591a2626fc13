"""What the units are fed while their transitions are counted.

The data of every unit comes from one place: rows of activations and rows of weights, taken through the
machine's own path (fpsim.kernels), so that each unit sees what the unit before it would give.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS, ArrayConfig
from fpsim.kernels.align import align
from fpsim.kernels.hadamard import hadamard_blocks
from fpsim.kernels.mac_array import mac_array
from fpsim.kernels.quantizer import amax, quantizer
from fpsim.kernels.row_scale import amplitude, row_scale

Ints = NDArray[np.int64]
ROWS, DEPTH = 64, 128  # tokens, channels and inner dimension of the generated operands
SEED = 20240531


@dataclass(frozen=True, eq=False)
class Run:
    """One stimulus of a unit.

    Attributes:
        columns: value of each input port in every cycle, (cycles,) or (cycles, lanes); a port that is not
            named is 0, `rst_ni` is 0 in the first cycles and then 1.
        counts: how often each operation happens in the counted cycles.
        skip: cycles at the start that are not counted.
        must_accept: `in_ready_o` must be 1 wherever `in_valid_i` is, else the counts would be wrong.
    """

    columns: dict[str, Ints]
    counts: dict[str, int]
    skip: int = 1
    must_accept: bool = field(default=False)

    @property
    def cycles(self) -> int:
        """Length in cycles."""
        return len(next(iter(self.columns.values())))

    def bits(self, ports: dict[str, int]) -> NDArray[np.uint8]:
        """The bits of these ports (name to width), port after port, bit 0 first.

        Raises:
            ValueError: a column for a port that is not there, or lanes that do not divide its width.
        """
        unknown = set(self.columns) - set(ports)
        if unknown:
            raise ValueError(f"columns {sorted(unknown)}: expected some of {sorted(ports)}")
        return np.concatenate([self._port_bits(name, width) for name, width in ports.items()], axis=1)

    def _port_bits(self, name: str, width: int) -> NDArray[np.uint8]:
        if name not in self.columns:
            return np.zeros((self.cycles, width), np.uint8)
        values = self.columns[name].reshape(self.cycles, -1)
        lanes = values.shape[1]
        if width % lanes:
            raise ValueError(f"{name}: {lanes} lanes in {width} bits")
        places = np.arange(width // lanes)
        bits = values[:, :, None] >> places & 1
        return bits.reshape(self.cycles, width).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Operands:
    """Rows on their way through the machine, in one operand format.

    Attributes:
        name: what the data is, for the report.
        fmt: operand format of both sides.
        x_bits: FP16 activations, uint16 (M, K).
        exps, aligned: what `align` gives.
        signs: ±1 (K,); the rotation's sign vector.
        rotated, amps, amaxes, scales: after the Hadamard transform, and the rows' amplitudes and scales.
        w_bits, w_rotated: FP16 weights, uint16 (N, K), and what they are after the rotation.
        a_codes, b_codes: operand codes, uint8 (M, K) and (N, K).
        acc: accumulators, int64 (M, N).
        col_scales, biases: TF32 bits and FP16 bits, (N,).
    """

    name: str
    fmt: str
    x_bits: NDArray[np.uint16]
    exps: NDArray[np.int32]
    aligned: NDArray[np.int32]
    signs: NDArray[np.int8]
    rotated: NDArray[np.int32]
    amaxes: NDArray[np.int32]
    amps: NDArray[np.int32]
    scales: NDArray[np.uint32]
    w_bits: NDArray[np.uint16]
    w_rotated: NDArray[np.int32]
    a_codes: NDArray[np.uint8]
    b_codes: NDArray[np.uint8]
    acc: Ints
    col_scales: NDArray[np.uint32]
    biases: NDArray[np.uint16]


def gaussian(config: ArrayConfig, fmt: str) -> Operands:
    """Operands from activations and weights drawn from N(0, 1): what rows look like after a rotation."""
    random = np.random.default_rng(SEED)
    x, w = random.standard_normal((2, ROWS, DEPTH))
    return from_rows("gaussian", config, fmt, x, w, random.standard_normal(ROWS))


def from_file(path: Path, config: ArrayConfig, fmt: str) -> Operands:
    """Operands from an .npz with `x` (M, K), `w` (N, K) and, if wanted, `bias` (N,), all float.

    Raises:
        ValueError: an array is missing or the shapes do not fit together.
    """
    with np.load(path) as data:
        if not {"x", "w"} <= set(data.files):
            raise ValueError(f"{path}: has {', '.join(data.files)}; expected x (M, K) and w (N, K)")
        x, w = np.asarray(data["x"], np.float64), np.asarray(data["w"], np.float64)
        bias = np.asarray(data["bias"], np.float64) if "bias" in data.files else np.zeros(len(w))
    n = config.unit.hadamard_n
    if x.ndim != 2 or w.ndim != 2 or x.shape[1] != w.shape[1] or x.shape[1] % n or bias.shape != (len(w),):
        raise ValueError(
            f"{path}: x {x.shape}, w {w.shape}, bias {bias.shape}; expected (M, K), (N, K), (N,)"
        )
    return from_rows(path.name, config, fmt, x, w, bias)


def from_rows(
    name: str,
    config: ArrayConfig,
    fmt: str,
    x: NDArray[np.float64],
    w: NDArray[np.float64],
    bias: NDArray[np.float64],
) -> Operands:
    """Take activations (M, K) and weights (N, K) through the machine: rotate, scale, code, multiply."""
    unit = config.unit
    signs = np.random.default_rng(SEED + 1).choice(np.array([-1, 1], np.int8), x.shape[1])
    sides = []
    for rows in (x, w):
        bits = rows.astype(np.float16).view(np.uint16)
        aligned, exps, _ = align(bits, unit.guard_bits)
        rotated = hadamard_blocks(aligned, unit.hadamard_n, signs)
        amaxes = amax(rotated)
        amps = amplitude(amaxes)
        codes = quantizer(rotated, amps, fmt)
        sides.append(
            (bits, aligned, exps, rotated, amaxes, amps, row_scale(amps, exps, unit.guard_bits), codes)
        )
    (bits, aligned, exps, rotated, amaxes, amps, scales, codes), weights = sides
    acc = mac_array(codes, weights[-1], fmt, fmt, unit.acc_bits)
    # The column scale holds the weight's scale, 1 / both largest levels, and 1/n for the two rotations.
    largest = {"e2m1": 12, "e3m0": 64, "e1m2": 7, "int4": 7}[fmt]
    col = _tf32_values(weights[-2]) / (largest**2 * unit.hadamard_n)
    return Operands(
        name, fmt, bits, exps, aligned, signs, rotated, amaxes, amps, scales, weights[0], weights[3], codes,
        weights[-1], acc,
        _tf32_bits(col), bias.astype(np.float16).view(np.uint16),
    )  # fmt: skip


def with_uniform_codes(rows: Operands) -> Operands:
    """The same, with codes drawn evenly from all sixteen: the densest activity that codes can have."""
    random = np.random.default_rng(SEED + 2)
    a_codes, b_codes = (
        random.integers(0, 16, codes.shape, np.uint8) for codes in (rows.a_codes, rows.b_codes)
    )
    return replace(rows, name="uniform", a_codes=a_codes, b_codes=b_codes)


def selector(fmt: str) -> int:
    """The RTL's number of an operand format."""
    return OPERAND_FORMATS.index(fmt)


def _tf32_values(bits: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Values of non-negative TF32 codes: they are the top 19 bits of a float32."""
    return (bits << 13).astype(np.uint32).view(np.float32).astype(np.float64)


def _tf32_bits(values: NDArray[np.float64]) -> NDArray[np.uint32]:
    """TF32 codes of positive values, cut off below (which of two neighbours does not matter here)."""
    return (values.astype(np.float32).view(np.uint32) >> np.uint32(13)).astype(np.uint32)
