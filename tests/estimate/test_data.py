"""The committed unit costs: fresh, and where others have measured."""

from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate import digits, dit, estimate, find_units, load_units, rtl_hash, total_cost
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import committed_units

LIBRARIES = ("asap7", "osu018", "sg13g2", "sky130hd")
E2M1_ONLY = UnitConfig(formats=("e2m1",), acc_bits=21)

# A prototype FP4 PE (shift and add, exact 21-bit accumulator, 8 operand registers), Gaussian data, per cycle,
# wires as heavy as pins: um2 and fJ. Made apart from this RTL and this flow.
PROTOTYPE = {
    "osu018": (9414, 23435),
    "sky130hd": (1698, 3486),
    "sg13g2": (3353, 2421),
    "asap7": (26.9, 87),
}


GAUSSIAN = {name: f"gaussian/{name.split('_')[1]}" for name in ("pe_e2m1", "pe_int4", "pe_w4a8", "pe_int8")}


@pytest.mark.parametrize("path", committed_units(), ids=lambda path: path.stem)
def test_costs_belong_to_this_rtl(path: Path) -> None:
    costs = load_units(path)
    assert costs.record["rtl_sha256"] == rtl_hash(), (
        f"{path.name} was measured on other RTL; type: python -m fpsim.estimate.refresh LIBERTY_FILES, "
        f"with the Liberty files of {', '.join(LIBRARIES)}"
    )


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("unit", [UnitConfig(), E2M1_ONLY], ids=["all-formats", "e2m1-only"])
def test_every_library_has_both_configurations(library: str, unit: UnitConfig) -> None:
    costs = find_units(library, unit)
    facts = load_constants().libraries[library]
    assert costs.record["library"]["node_nm"] == facts.node_nm
    assert costs.record["library"]["source"] == facts.source
    assert set(costs.record["tools"]) == {"yosys", "verilator"}


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_mac_is_near_an_independent_one(library: str) -> None:
    """Within half and double of the prototype: other RTL, other registers, same libraries and same data."""
    costs = find_units(library, E2M1_ONLY)
    area, energy_fj = PROTOTYPE[library]
    assert 0.5 < costs.record["units"]["mac"]["area_um2"] / area < 2
    assert 0.5 < 1000 * costs.energy("mac", "mac").mid / energy_fj < 2


@pytest.mark.parametrize("path", committed_units(), ids=lambda path: path.stem)
def test_every_unit_has_a_longest_path(path: Path) -> None:
    """Wires slow it; a unit of more gates on its path than there are in it would be nonsense."""
    for name, unit in load_units(path).record["units"].items():
        longest = unit["longest_path_ps"]
        assert 0 < longest["low"] < longest["mid"], name
        assert longest["mid"] == max(unit["paths_ps"]["mid"].values())
        assert 0 < unit["longest_path_gates"] < unit["cells"]
        assert ("register_to_register" in unit["paths_ps"]["mid"]) <= (unit["sequential_um2"] > 0)


# Prototype elements of other formats, relative to their INT8, wires as heavy as pins, Gaussian data: energy
# and area, lowest and highest of five libraries. Made apart from this RTL and this flow (no sizing).
PROTOTYPE_RATIOS = {
    "pe_e2m1": ((0.42, 0.46), (0.41, 0.48)),
    "pe_int4": ((0.37, 0.43), (0.41, 0.46)),
    "pe_w4a8": ((0.63, 0.67), (0.65, 0.68)),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("name", PROTOTYPE_RATIOS)
def test_elements_of_other_formats_are_near_independent_ones(library: str, name: str) -> None:
    """The ratios to INT8 within a sixth of the prototype's range; what the formats cost is no accident of
    one RTL."""
    costs = find_units(library, UnitConfig())
    units = costs.record["units"]

    def energy(unit: str) -> float:
        return float(units[unit]["operations"]["mac"]["energy_pj"][GAUSSIAN[unit]]["mid"])

    (low, high), (small, large) = PROTOTYPE_RATIOS[name]
    assert low / 1.17 < energy(name) / energy("pe_int8") < high * 1.17
    assert small / 1.17 < units[name]["area_um2"] / units["pe_int8"]["area_um2"] < large * 1.17


@pytest.mark.parametrize("library", LIBRARIES)
def test_gate_equivalents_agree_over_nodes(library: str) -> None:
    """One netlist in NAND2 equivalents is about the same in every technology."""
    every = [find_units(name, UnitConfig()).record["units"] for name in LIBRARIES]
    for unit, entry in find_units(library, UnitConfig()).record["units"].items():
        mean = sum(units[unit]["ge"] for units in every) / len(every)
        assert entry["ge"] == pytest.approx(mean, rel=0.15), unit


@pytest.mark.parametrize("library", LIBRARIES)
def test_e2m1_alone_is_smaller(library: str) -> None:
    every, alone = (find_units(library, unit).record["units"] for unit in (UnitConfig(), E2M1_ONLY))
    for unit in ("decode", "mul", "mac", "mac_array_8x8"):
        assert alone[unit]["area_um2"] < every[unit]["area_um2"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_models_are_costed(library: str) -> None:
    config = ArrayConfig()
    units = find_units(library, config.unit)
    for shape in (digits(), dit("XL", 2, 256)):
        total = total_cost(estimate(shape.layers, config, units), config)
        assert total.macs == shape.macs("linear")
        assert total.macs + total.host_macs == shape.macs()
        assert 0.5 < total.utilization < 1
        # A prototype's figure for all Hadamard butterflies: 0.2 to 0.3 % of the multiply-accumulates' energy
        # in every library. Here they are pipelined and the array carries operand registers.
        if shape.hidden == 1152:
            share = total.parts_pj["hadamard"].mid / total.parts_pj["array"].mid
            assert 0.0005 < share < 0.005
