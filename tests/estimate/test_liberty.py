"""The Liberty reader on a library whose every figure can be computed by hand."""

import gzip
from pathlib import Path

import pytest

from fpsim.estimate.liberty import Library

TINY = Path(__file__).with_name("tiny.lib")
OSU018 = Path("/usr/share/qflow/tech/osu018/osu018_stdcells.lib")  # Debian package qflow-tech-osu018


@pytest.fixture(scope="module")
def tiny() -> Library:
    return Library.read(TINY)


def test_units_of_the_file_become_ours(tiny: Library) -> None:
    units = tiny.units
    assert (units.capacitance_ff, units.time_ps, units.voltage_v, units.leakage_nw) == pytest.approx(
        (2.0, 10.0, 1.0, 10.0)
    )
    assert units.energy_fj == pytest.approx(2.0)  # 2 fF x (1 V)^2
    assert (tiny.name, tiny.voltage_v, tiny.temperature_c) == ("tiny", 2.0, 25.0)


def test_area_capacitance_and_leakage(tiny: Library) -> None:
    inv, nand, flop = tiny.cell("INV"), tiny.cell("NAND2"), tiny.cell("DFF")
    assert (inv.area_um2, nand.area_um2, flop.area_um2) == (1.0, 2.0, 6.0)
    assert inv.pins["A"].capacitance_ff == pytest.approx(3.0)  # 1.5 x 2 fF
    assert inv.leakage_nw == pytest.approx(30.0)  # the cell's own figure, 3 x 10 nW
    assert nand.leakage_nw == pytest.approx(30.0)  # mean of the conditions, (4 + 2) / 2 x 10 nW
    assert flop.leakage_nw == pytest.approx(60.0)  # unconditional, both supply pins, (5 + 1) x 10 nW


@pytest.mark.parametrize(
    ("slew_ps", "load_ff", "units"),
    [
        (0.0, 0.0, 0.5),
        (40.0, 20.0, 0.5 + 0.5 + 2.0),  # corner: slew 4, load 10
        (20.0, 10.0, 0.5 + 0.25 + 1.0),  # between: slew 2, load 5
        (80.0, 40.0, 0.5 + 1.0 + 4.0),  # beyond: slew 8, load 20
    ],
)
def test_internal_energy_is_bilinear(tiny: Library, slew_ps: float, load_ff: float, units: float) -> None:
    assert tiny.cell("INV").energy_fj("Y", slew_ps, load_ff) == pytest.approx(2.0 * units)


def test_supplies_add_and_conditions_average(tiny: Library) -> None:
    # A: VDD (3 + 1) / 2 and VSS (0 + 1) / 2 add to 2.5; B: mean of 5 and 3 is 4; the pins' mean is 3.25.
    assert tiny.cell("NAND2").energy_fj("Y", 0.0, 0.0) == pytest.approx(2.0 * 3.25)


def test_a_flip_flops_output_pays_for_its_clock_not_for_clear(tiny: Library) -> None:
    flop = tiny.cell("DFF")
    assert flop.energy_fj("Q", 5.0, 1.0) == pytest.approx(2.0 * 2)
    assert flop.energy_fj("CLK", 5.0, 0.0) == pytest.approx(2.0 * 3)
    assert flop.energy_fj("D", 5.0, 0.0) == pytest.approx(2.0 * 1)


def test_cells_are_found_by_function_and_size(tiny: Library) -> None:
    assert tiny.nand2.name == "NAND2"
    assert tiny.inverter.name == "INV"


def test_fan_out_of_four_slew(tiny: Library) -> None:
    # slew = 0.5 + slew / 4 + load / 5 with load = 4 x 1.5 = 6: slew = 1.7 / 0.75 units of 10 ps.
    assert tiny.fo4_slew_ps == pytest.approx(10 * 1.7 / 0.75)


def test_gzip_reads_the_same(tmp_path: Path, tiny: Library) -> None:
    packed = tmp_path / "tiny.lib.gz"
    packed.write_bytes(gzip.compress(TINY.read_bytes()))
    library = Library.read(packed)
    assert library.cell_names == tiny.cell_names
    assert library.fo4_slew_ps == tiny.fo4_slew_ps


def test_marked_and_matching_cells_are_excluded(tiny: Library) -> None:
    assert tiny.excluded(("^XOR", "BIG$")) == ("NAND2_BIG", "XOR2")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, keep: float) -> None:
    text = TINY.read_text()
    cut = tmp_path / "cut.lib"
    cut.write_text(text[: int(len(text) * keep)])
    with pytest.raises(ValueError, match=r"cut\.lib.*(cut short|has no cells)"):
        Library.read(cut)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    packed = tmp_path / "cut.lib.gz"
    packed.write_bytes(gzip.compress(TINY.read_bytes())[:-200])
    with pytest.raises(ValueError, match="cannot read"):
        Library.read(packed)
    with pytest.raises(ValueError, match="cannot read"):
        Library.read(tmp_path / "absent.lib")
    other = tmp_path / "other.txt"
    other.write_text("module m; endmodule")
    with pytest.raises(ValueError, match="expected a Liberty file"):
        Library.read(other)


def test_an_unknown_cell_is_named(tiny: Library) -> None:
    with pytest.raises(ValueError, match="no cell 'AND9'"):
        tiny.cell("AND9")


@pytest.mark.skipif(not OSU018.exists(), reason="apt-get install qflow-tech-osu018")
def test_osu018_against_its_own_text() -> None:
    library = Library.read(OSU018)
    assert (library.voltage_v, library.units.energy_fj) == pytest.approx((1.8, 1000.0))
    assert (library.nand2.name, library.nand2.area_um2) == ("NAND2X1", 24.0)  # 2.4 um x 10 um in its LEF
    flop = library.cell("DFFPOSX1")
    assert flop.leakage_nw == pytest.approx(0.160725)
    # CLK at a slew of 0.06 ns, straight from the table: (0.006865 + 0.11034) / 2 pJ
    assert flop.energy_fj("CLK", 60.0, 0.0) == pytest.approx(1000 * (0.006865 + 0.11034) / 2)
    # NAND2X1 Y at 0.06 ns and 0.005 pF: mean over A and B of (rise + fall) / 2, first entries of the tables
    expected = ((0.010032 + 0.044515) / 2 + (0.009782 + 0.03356) / 2) / 2
    assert library.nand2.energy_fj("Y", 60.0, 5.0) == pytest.approx(1000 * expected)
    assert 50 < library.fo4_slew_ps < 200  # between the smallest slews of its tables, 60 and 180 ps
