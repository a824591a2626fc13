"""Cycles of an R x C array in three dataflows, in closed form: what stays in the elements, what moves.

A fold is what the array works on without changing what stays in it; S is the length of the stream through it.

    dataflow                stays           rows x columns hold    folds F               stream S
    output stationary (os)  sums            M x N                  ⌈M/R⌉·⌈N/C⌉·1         P·K
    weight stationary (ws)  weights         K x N                  ⌈K/R⌉·⌈N/C⌉·Pw        Pa·M
    input stationary (is)   activations     K x M                  ⌈K/R⌉·⌈M/C⌉·Pa        Pw·N

Pa and Pw are the nibbles of an activation and of a weight, P = Pa·Pw.

    one fold after another     os  F·(S + R + C - 2)     ws, is  F·(S + 2R + C - 2)
    with second registers      os  F·S + R + C - 2       ws, is  R + (F - 1)·max(S, R) + S + R + C - 2

Operands enter skewed, so the last one meets element (R - 1, C - 1) R + C - 2 cycles after element (0, 0);
what stays in ws and is takes R cycles to move in. SCALE-Sim numbers its cycles from 0 and shows the last
one's number, one less than the first line (`scale_sim_cycles`). It has no cycle for a finished sum to leave
in os.

This machine's array is output stationary, and its cycles are `fpsim.array.cycles`, to which the RTL is held.
Per tile alone they are 2 more than the first line, the operand register in front of an element's multiplier
and the register a row leaves through, 3 with overlap and 1 for a product's register; and with overlap R + C
+ 1 is paid once for all tiles, not for each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from fpsim.array.config import NIBBLE_BITS, ArrayConfig
from fpsim.array.cycles import layer_cycles

Dataflow = Literal["os", "ws", "is"]
DATAFLOWS: tuple[Dataflow, ...] = get_args(Dataflow)
NAMES: dict[Dataflow, str] = {
    "os": "output stationary",
    "ws": "weight stationary",
    "is": "input stationary",
}


@dataclass(frozen=True)
class Product:
    """One product (M, K) @ (K, N) of activations and weights.

    Attributes:
        m, n, k: rows (tokens), columns (output channels), inner dimension, each at least 1.
        activation_bits, weight_bits: width of a code, 1 to 8; wider than a nibble takes passes.
    """

    m: int
    n: int
    k: int
    activation_bits: int = NIBBLE_BITS
    weight_bits: int = NIBBLE_BITS

    def __post_init__(self) -> None:
        for name in ("m", "n", "k", "activation_bits", "weight_bits"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}={value!r}: expected an integer of at least 1")

    @property
    def macs(self) -> int:
        """Multiply-accumulates of whole codes."""
        return self.m * self.n * self.k

    @property
    def activation_nibbles(self) -> int:
        """Nibbles of an activation, Pa."""
        return _ceil(self.activation_bits, NIBBLE_BITS)

    @property
    def weight_nibbles(self) -> int:
        """Nibbles of a weight, Pw."""
        return _ceil(self.weight_bits, NIBBLE_BITS)

    @property
    def passes(self) -> int:
        """Passes of nibbles, Pa·Pw."""
        return self.activation_nibbles * self.weight_nibbles


def folds(dataflow: Dataflow, product: Product, rows: int, cols: int) -> int:
    """How often what stays in the array changes.

    Raises:
        ValueError: an unknown dataflow, rows or columns below 1.
    """
    _check(dataflow, rows, cols)
    over_k = _ceil(product.k, rows)
    if dataflow == "os":
        return _ceil(product.m, rows) * _ceil(product.n, cols)
    if dataflow == "ws":
        return over_k * _ceil(product.n, cols) * product.weight_nibbles
    return over_k * _ceil(product.m, cols) * product.activation_nibbles


def stream(dataflow: Dataflow, product: Product) -> int:
    """Beats that pass through the array in one fold. ValueError for an unknown dataflow."""
    _check(dataflow, 1, 1)
    if dataflow == "os":
        return product.k * product.passes
    if dataflow == "ws":
        return product.m * product.activation_nibbles
    return product.n * product.weight_nibbles


def cycles(dataflow: Dataflow, product: Product, rows: int, cols: int, *, overlap: bool = False) -> int:
    """Cycles from the first operand (or the first one to stay) to the last sum, both counted.

    Args:
        dataflow: what stays.
        product: what is multiplied.
        rows, cols: the array.
        overlap: whether the next fold's stationary operands move into second registers meanwhile; os has
            none to move in, its sums leave as if there were.

    Raises:
        ValueError: an unknown dataflow, rows or columns below 1.
    """
    count, length = folds(dataflow, product, rows, cols), stream(dataflow, product)
    skew = rows + cols - 2
    if dataflow == "os":
        return count * length + skew if overlap else count * (length + skew)
    if overlap:
        return rows + (count - 1) * max(length, rows) + length + skew
    return count * (rows + length + skew)


def scale_sim_cycles(dataflow: Dataflow, product: Product, rows: int, cols: int) -> int:
    """What SCALE-Sim v3 calls total cycles: the number of the last cycle, where the first one is 0."""
    return cycles(dataflow, product, rows, cols) - 1


def machine_cycles(product: Product, config: ArrayConfig) -> int:
    """Cycles of this machine's array, equal to the RTL's: `fpsim.array.cycles.layer_cycles`."""
    return layer_cycles(config, product.m, product.n, product.k, product.passes)


def machine_offset(product: Product, config: ArrayConfig) -> int:
    """What the machine takes beyond `cycles("os", ...)` one tile after the other; negative where overlap
    saves more than the registers cost. Written down apart from `machine_cycles`, and tested to be the
    difference.
    """
    unit, skew = config.unit, config.rows + config.cols - 2
    tiles, beats = folds("os", product, config.rows, config.cols), stream("os", product)
    registers = 2 + unit.product_cut + unit.overlap
    if not unit.overlap:
        return tiles * registers
    # One fill and drain instead of one per tile, unless the rows of a tile leave slower than beats enter.
    return registers + (tiles - 1) * (max(0, skew + registers - beats) - skew)


def utilization(product: Product, rows: int, cols: int, cycles_taken: int) -> float:
    """Useful products of nibbles over what the array could do in the cycles, 0 to 1."""
    return product.macs * product.passes / (cycles_taken * rows * cols)


def _check(dataflow: str, rows: int, cols: int) -> None:
    if dataflow not in DATAFLOWS:
        raise ValueError(f"dataflow={dataflow!r}: expected one of {', '.join(DATAFLOWS)}")
    for name, value in (("rows", rows), ("cols", cols)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{name}={value!r}: expected an integer of at least 1")


def _ceil(value: int, step: int) -> int:
    return -(-value // step)
