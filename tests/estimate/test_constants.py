"""Every figure that is not measured has unit, source and band; the file is refused otherwise."""

from pathlib import Path

import pytest

from fpsim.estimate.band import Band
from fpsim.estimate.constants import PATH, load_constants


def test_every_figure_is_sourced() -> None:
    constants = load_constants()
    figures = [*constants.figures.values(), *(bank.access for bank in constants.banks)]
    assert len(figures) >= 13
    for figure in figures:
        assert figure.unit
        assert len(figure.source) > 20
        assert 0 < figure.value.low <= figure.value.mid <= figure.value.high
    for library in constants.libraries.values():
        assert library.source
        assert library.corner


def test_sram_figures_are_cactis() -> None:
    """pJ per 128-bit read at 22, 32, 45, 65 nm, as CACTI 7 printed them; the band is half to double."""
    printed = {
        8: (2.83, 5.34, 9.62, 16.7),
        64: (11.3, 21.0, 36.9, 84.6),
        256: (26.0, 48.0, 84.5, 153.0),
    }
    banks = load_constants().banks
    assert len(banks) == 12
    for bank in banks:
        expected = printed[bank.size_bytes // 1024][(22, 32, 45, 65).index(int(bank.access.node_nm or 0))]
        assert bank.access.value.mid == expected
        assert bank.access.value.low == pytest.approx(expected / 2)
        assert bank.access.value.high == pytest.approx(expected * 2)
        assert bank.word_bits == 128


def test_dram_is_never_one_number() -> None:
    dram = load_constants().figures["dram_access"]
    assert (dram.value, dram.unit) == (Band(4, 8, 14), "pJ/bit")


@pytest.mark.parametrize(
    ("size_bytes", "node_nm", "bank_bytes", "bank_node"),
    [
        (100, 7, 8192, 22),
        (8192, 22, 8192, 22),
        (8193, 180, 65536, 65),
        (10**7, 130, 262144, 65),
        (65536, 38, 65536, 45),  # 45/38 = 1.18, 38/32 = 1.19
    ],
)
def test_the_bank_that_fits(size_bytes: int, node_nm: float, bank_bytes: int, bank_node: float) -> None:
    bank = load_constants().bank(size_bytes, node_nm)
    assert (bank.size_bytes, bank.access.node_nm) == (bank_bytes, bank_node)


def test_libraries_are_known_by_the_name_in_their_file() -> None:
    constants = load_constants()
    assert constants.library("sky130_fd_sc_hd__tt_025C_1v80").node_nm == 130
    assert constants.library("osu018_stdcells").name == "osu018"
    with pytest.raises(ValueError, match="library 'mylib': not listed"):
        constants.library("mylib")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("high: 14.0", "high: 7.0", "low <= mid <= high"),
        ("    high: 14.0\n", "", "dram_access: fields"),
        ("schema_version: 1", "schema_version: 2", "schema_version=2"),
        ('"LPDDR3 3.7', '""\n    # "LPDDR3 3.7', "expected a unit and a source"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = PATH.read_text("utf-8")
    assert old in text
    bad = tmp_path / "bad.yaml"
    bad.write_text(text.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        load_constants(bad)
