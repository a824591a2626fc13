"""Energy of buffers in SRAM: accesses times the sourced figure of the bank that holds them."""

from __future__ import annotations

from collections.abc import Iterable

from fpsim.estimate.band import ZERO, Band
from fpsim.estimate.constants import load_constants
from fpsim.estimate.counts import Buffer


def sram_energy(buffers: Iterable[Buffer], node_nm: float) -> Band:
    """Energy of the traffic of buffers in pJ, in whole words of a bank.

    Args:
        buffers: what they hold and carry.
        node_nm: node of the logic; the bank is of the nearest node that there are figures of.
    """
    constants, energy = load_constants(), ZERO
    for buffer in buffers:
        bank = constants.bank(buffer.size_bytes, node_nm)
        words = -(-buffer.written_bits // bank.word_bits) + -(-buffer.read_bits // bank.word_bits)
        energy = energy + bank.access.value * words
    return energy
