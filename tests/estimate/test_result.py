"""Sums of an estimate: layers make a block, blocks a forward pass, passes an image."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig
from fpsim.estimate import digits, find_units, pixart_alpha, stdit
from fpsim.estimate.csv_file import COLUMNS, csv_text
from fpsim.estimate.estimate import PARTS
from fpsim.estimate.result import estimate_model
from fpsim.estimate.settings import MemorySettings, OperandSettings, Settings, SramSettings
from fpsim.estimate.shapes import KINDS, Shape

UNITS = find_units("asap7", ArrayConfig().unit)


@pytest.mark.parametrize("shape", [digits(), pixart_alpha(256), stdit(256, 2)], ids=lambda shape: shape.name)
def test_layers_make_a_forward_pass_and_passes_an_image(shape: Shape) -> None:
    result = estimate_model(shape, Settings(steps=20, guidance=True), UNITS)
    forward, block, image = result.forward.total, result.block.total, result.image.total
    assert forward.macs == sum(layer.macs for layer in shape.layers if layer.kind == "linear")
    assert forward.macs + forward.host_macs == sum(layer.macs for layer in shape.layers)
    assert forward.cycles == sum(cost.cycles for cost in result.layers)
    assert forward.energy_pj.mid == pytest.approx(sum(cost.energy_pj.mid for cost in result.layers))
    depth = max(layer.blocks for layer in shape.layers)
    # Block linears are all that the array runs by default, so blocks are all of it.
    assert (block.macs * depth, block.cycles * depth) == (forward.macs, forward.cycles)
    assert block.energy_pj.high * depth == pytest.approx(forward.energy_pj.high)
    assert (image.macs, image.cycles) == (40 * forward.macs, 40 * forward.cycles)
    assert image.parts_pj["dram"].low == pytest.approx(40 * forward.parts_pj["dram"].low)
    assert result.image.dram_bits == 40 * result.forward.dram_bits
    assert image.utilization == forward.utilization


def test_the_array_runs_what_it_is_asked_to() -> None:
    shape = pixart_alpha(256)
    alone, everything = (
        estimate_model(shape, Settings(on_array=kinds), UNITS) for kinds in (("linear",), KINDS)
    )
    assert everything.forward.total.host_macs == 0
    assert everything.forward.total.macs == sum(layer.macs for layer in shape.layers)
    assert everything.forward.total.energy_pj.low > alone.forward.total.energy_pj.low
    by_name = {cost.layer.name: cost for cost in everything.layers}
    assert by_name["attn.qk"].dram_bits == 0
    # One row on 16: a sixteenth of the array has work.
    assert by_name["t_block"].utilization < 1 / 16
    assert everything.block.total.macs * 28 < everything.forward.total.macs  # embeddings are in no block


def test_passes_block_scales_and_memories_reach_the_counts() -> None:
    wide = Settings(operands=OperandSettings(activation_bits=8, weight_bits=8))
    plain, eight = (estimate_model(digits(), settings, UNITS) for settings in (Settings(), wide))
    for one, four in zip(plain.layers, eight.layers, strict=True):
        if not one.on_host:
            assert four.counts is not None
            assert one.counts is not None
            assert (four.counts.beats, four.dram_bits > one.dram_bits) == (4 * one.counts.beats, True)
    slow = Settings(memory=MemorySettings(dram_bytes_per_cycle=1))
    waiting = estimate_model(digits(), slow, UNITS)
    assert waiting.forward.stall_cycles > 0
    assert waiting.forward.total.cycles == plain.forward.total.cycles + waiting.forward.stall_cycles
    assert waiting.forward.total.parts_pj["leakage"].mid > plain.forward.total.parts_pj["leakage"].mid
    scaled = estimate_model(digits(), Settings(operands=OperandSettings(block=16)), UNITS)
    assert scaled.forward.dram_bits > plain.forward.dram_bits


def test_every_layer_is_told_in_three_dataflows() -> None:
    sram = SramSettings(activation_bytes=64, weight_bytes=1 << 20, output_bytes=64)
    result = estimate_model(digits(), Settings(sram=sram), UNITS).to_dict()
    for layer in result["layers"]:
        assert ("dataflows" in layer) == (layer["runs_on"] == "array")
        flows = layer.get("dataflows", {})
        if flows:
            assert set(flows) == {"os", "ws", "is"}
            assert flows["os"]["machine_cycles"] == layer["cycles"]
            weights = layer["n"] * layer["k"] * layer["count"] * 4
            assert flows["ws"]["bits"]["weight"]["dram_read_bits"] == weights
            # 128 codes and 19 sums: neither the rows of a layer nor a column's sums fit.
            assert flows["is"]["bits"]["output"]["dram_read_bits"] > 0
            assert flows["os"]["bits"]["activation"]["dram_read_bits"] > 16 * layer["k"] * layer["count"] * 4


def test_the_columns_of_the_csv_name_their_units() -> None:
    energies = [f"{name}_{end}_pJ" for name in ("energy", *PARTS) for end in ("low", "mid", "high")]
    assert list(COLUMNS[-len(energies) :]) == energies
    plain = {
        "layer",
        "kind",
        "runs_on",
        "count",
        "blocks",
        "M",
        "N",
        "K",
        "array_passes",
        "tiles",
        "hadamard_beats",
    }
    ends = ("_bit", "_cycle", "_MAC", "_1", "_us", "_per_byte", "_pJ")
    assert {column for column in COLUMNS if not column.endswith(ends)} == plain
    text = csv_text(estimate_model(digits(), Settings(), UNITS))
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert len(text.splitlines()) == 1 + len(digits().layers) + 3
