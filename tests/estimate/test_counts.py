"""Counts of one layer by hand, and the array's cycles against SCALE-Sim."""

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.bandwidth import Memory
from fpsim.estimate.counts import count_layer
from fpsim.estimate.shapes import Layer, Operands, dit
from fpsim.verify.job import Job
from fpsim.verify.runner import simulate

SMALL = ArrayConfig(2, 4, UnitConfig(hadamard_n=4))  # aligned 16 bits, rotated 18


def test_a_small_layer_by_hand() -> None:
    # 3 x 5 outputs on 2 x 4 elements: 2 x 2 tiles of 8 beats; after the last one, 2 + 4 + 1 cycles of drain.
    counts = count_layer(Layer("fc", m=3, n=5, k=8), SMALL)
    assert (counts.macs, counts.tiles, counts.beats, counts.cycles) == (120, 4, 32, 4 * 8 + 7)
    # 3 rows of 8 elements are 6 beats of 4 lanes; align sees them twice.
    assert (counts.rows, counts.align_beats, counts.rotate_beats, counts.outputs) == (3, 12, 6, 15)
    traffic = {name: (b.size_bytes, b.written_bits, b.read_bits) for name, b in counts.buffers.items()}
    assert traffic == {
        "x": (48, 3 * 8 * 16, 2 * 3 * 8 * 16),
        "row": (18, 3 * 8 * 18, 3 * 8 * 18),  # one row of 8 elements of 18 bits
        "codes": (12, 3 * 8 * 4, 4 * 8 * 2 * 4),  # every tile reads 8 beats of 2 codes
        # Two panels of 4 columns: 32 codes, and 35 bits of scale and bias per column.
        "weights": (2 * (32 * 4 + 4 * 35) / 8, 5 * (8 * 4 + 35), 4 * (32 * 4 + 4 * 35)),
        "y": (30, 15 * 16, 0),
    }
    assert counts.dram_bits == 5 * (8 * 4 + 32 + 16)


def test_eight_bits_take_passes_of_nibbles_and_twice_the_memory() -> None:
    operands = Operands(activation_bits=8, weight_bits=4, passes=2)
    counts, four = (count_layer(Layer("fc", 3, 5, 8, operands=o), SMALL) for o in (operands, Operands()))
    assert (counts.beats, counts.cycles) == (2 * 32, 4 * 2 * 8 + 7)
    codes, weights = counts.buffers["codes"], counts.buffers["weights"]
    assert (codes.size_bytes, codes.written_bits, codes.read_bits) == (24, 3 * 8 * 8, 4 * 2 * 8 * 2 * 4)
    # The weights stay at 4 bits and are read once per pass.
    assert weights.read_bits == 4 * (2 * 32 * 4 + 4 * 35)
    assert counts.dram_bits == four.dram_bits


def test_a_static_scale_saves_the_first_look_and_the_row_buffer() -> None:
    static, dynamic = (
        count_layer(Layer("fc", 3, 5, 8, operands=Operands(static=flag)), SMALL) for flag in (True, False)
    )
    assert (static.align_beats, dynamic.align_beats) == (6, 12)
    assert static.buffers["x"].read_bits == dynamic.buffers["x"].read_bits / 2
    assert static.buffers["row"].written_bits == 0
    assert (static.cycles, static.buffers["codes"]) == (dynamic.cycles, dynamic.buffers["codes"])


def test_activations_may_cross_the_dram() -> None:
    layer = Layer("fc", m=3, n=5, k=8)
    inside, outside = (count_layer(layer, SMALL, activations_in_dram=flag) for flag in (False, True))
    assert outside.dram_bits - inside.dram_bits == (3 * 8 + 3 * 5) * 16


def test_a_row_that_ends_inside_a_beat_takes_a_whole_beat() -> None:
    assert count_layer(Layer("fc", m=3, n=5, k=9), SMALL).rotate_beats == 3 * 3


@pytest.mark.parametrize(
    ("name", "cycles"),
    # SCALE-Sim v3, output stationary, 32 x 32, DiT-XL/2: ceil(M/R) ceil(N/C) (K + R + C - 2) - 1.
    [("attn.qkv", 1_048_895), ("attn.proj", 349_631), ("mlp.fc1", 1_398_527), ("mlp.fc2", 1_344_959)],
)
def test_cycles_differ_from_scale_sim_by_what_they_leave_out(name: str, cycles: int) -> None:
    """SCALE-Sim fills and drains tile after tile, R + C - 2 cycles each; here only the last drain is left,
    and everything else is beats."""
    (layer,) = (layer for layer in dit("XL", 2, 256).layers if layer.name == name)
    counts = count_layer(layer, ArrayConfig(32, 32))
    fill_and_drain = counts.tiles * (32 + 32 - 2)
    assert counts.beats == cycles + 1 - fill_and_drain
    assert counts.cycles == counts.beats + 32 + 32 + 1


def test_block_scales_are_bits_beside_the_codes() -> None:
    """K = 8 in blocks of 3: three scales of 8 bits a row, a column."""
    plain, blocks = (
        count_layer(Layer("fc", 3, 5, 8, operands=o), SMALL) for o in (Operands(), Operands(block=3))
    )
    codes, weights = blocks.buffers["codes"], blocks.buffers["weights"]
    assert codes.written_bits - plain.buffers["codes"].written_bits == 3 * 3 * 8
    assert codes.read_bits - plain.buffers["codes"].read_bits == 4 * 2 * 3 * 8  # 4 tiles of 2 rows
    assert weights.written_bits - plain.buffers["weights"].written_bits == 5 * 3 * 8
    assert weights.read_bits - plain.buffers["weights"].read_bits == 4 * 4 * 3 * 8
    assert weights.size_bytes - plain.buffers["weights"].size_bytes == 2 * 4 * 3
    assert blocks.dram_bits - plain.dram_bits == 5 * 3 * 8
    assert blocks.cycles == plain.cycles


@pytest.mark.parametrize(("block", "bits"), [(32, 8), (16, 8)])
def test_mx_and_nvfp4_weights_take_their_published_bits(block: int, bits: int) -> None:
    """OCP MX v1.0: 4.25 bits an element; NVFP4: 4.5 (and a tensor's scale)."""
    layer = Layer("fc", 256, 1152, 1152, operands=Operands(block=block, scale_bits=bits))
    weights = count_layer(layer, ArrayConfig()).dram_bits - 1152 * (32 + 16)
    assert weights / (1152 * 1152) == {32: 4.25, 16: 4.5}[block]


def test_both_sides_of_an_attention_product_are_activations() -> None:
    linear, product = (
        count_layer(Layer("qk", 3, 5, 8, kind=kind), SMALL) for kind in ("linear", "attention")
    )
    assert (product.rows, product.rotate_beats, product.align_beats) == (8, 8 * 2, 2 * 8 * 2)
    assert product.dram_bits == 0
    assert product.buffers["x"].written_bits == 8 * 8 * 16
    assert product.buffers["weights"].size_bytes == 5 * (8 * 4 + 35) / 8  # all columns, made on the chip
    assert (product.cycles, product.beats, product.outputs) == (linear.cycles, linear.beats, linear.outputs)
    outside = count_layer(Layer("qk", 3, 5, 8, kind="attention"), SMALL, activations_in_dram=True)
    assert outside.dram_bits == (8 * 8 + 3 * 5) * 16


def test_one_row_waits_for_its_weights() -> None:
    """adaLN: 2 groups of 4 columns of 8 x 4 + 48 bits each, one byte a cycle; the second has one column."""
    layer = Layer("adaLN", m=1, n=5, k=8, kind="modulation")
    counts = count_layer(layer, SMALL, memory=Memory(dram_bytes_per_cycle=1))
    # 40 cycles for the first panel, 10 for the second while 8 beats run, 8 beats, then 7 of drain.
    assert counts.cycles == 40 + 10 + 8 + 7
    assert counts.stall_cycles == counts.cycles - count_layer(layer, SMALL).cycles == 42
    waiting = count_layer(layer, SMALL, memory=Memory(dram_bytes_per_cycle=1, double_buffered=False))
    assert waiting.cycles == 40 + 8 + 10 + 8 + 7


def test_narrow_ports_stretch_every_beat() -> None:
    layer = Layer("fc", 3, 5, 8, operands=Operands(block=4))
    # Two codes of 4 bits through a port of 4: two cycles a beat; 12 bits each at a block's begin: six.
    counts = count_layer(layer, SMALL, memory=Memory(activation_port_bits=4))
    assert counts.cycles == 4 * (6 * 2 + 2 * 6) + 7


@pytest.mark.rtl
def test_cycles_are_the_simulated_ones() -> None:
    """The array's RTL, four tiles one after the other, in the simulator."""
    config = ArrayConfig(2, 3, UnitConfig(acc_bits=20))
    measured = simulate(Job("mac_array", config, kinds=("random",), quick=True)).measured
    for k, passes in ((1, 1), (6, 1), (3, 2), (6, 2), (1, 4), (6, 4)):
        operands = Operands(activation_bits=4 if passes == 1 else 8, passes=passes)
        counts = count_layer(Layer("fc", m=4, n=6, k=k, operands=operands), config)
        assert counts.cycles == measured[f"k={k},{k},{k},{k} passes={passes}"]
        assert counts.stall_cycles == 0
