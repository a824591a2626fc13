"""Anchors of others are sourced, and scaling between nodes is held to its paper and to what we measured."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from fpsim.array.config import UnitConfig
from fpsim.estimate import Band, find_units
from fpsim.estimate.published import PATH, published
from fpsim.estimate.scaling import FITS, SUPPLIES, relative_energy, scaled
from fpsim.report.calibration import Ours, calibration_figure

LIBRARIES = ("asap7", "osu018", "sg13g2", "sky130hd")


def test_every_figure_is_sourced_and_in_fj() -> None:
    """fJ per multiply-accumulate as ../cost-model tables have them: 2000 / (TOPS/W)."""
    rounded = {figure.name: round(figure.fj_per_mac) for figure in published()}
    assert len(rounded) == len(published()) >= 12
    assert rounded["VSQ, 0.46 V"] == 21
    assert rounded["RaPiD"] == 118
    assert rounded["MXDotP"] == 5618
    assert rounded["DHFP-PE"] == 549
    assert all(len(figure.source) > 15 for figure in published())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tops_per_w: 16.9", "tops_per_w: 16.9, fj_per_mac: 3", "RaPiD: expected one of"),
        ("scope: element", "scope: gate", "scope='gate': expected element, cluster, chip"),
        ("fj_per_mac: 549", "fj_per_mac: 0", "DHFP-PE: expected a source and an energy"),
        ("schema_version: 1", "schema_version: 2", "schema_version=2: expected 1"),
        ("silicon: true, ", "", "silicon"),
    ],
)
def test_a_damaged_file_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "published.yaml"
    text = PATH.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        published(path)


def test_the_fit_gives_the_papers_examples() -> None:
    """Stillmaker and Baas' corrigendum: 32 nm at 0.9 V 0.4571, 65 nm at 1.3 V 2.604."""
    assert relative_energy(32, 0.9) == pytest.approx(0.4571, abs=5e-5)
    assert relative_energy(65, 1.3) == pytest.approx(2.604, abs=5e-4)
    assert set(FITS) == set(SUPPLIES)
    between = relative_energy(28)
    assert relative_energy(20) < between < relative_energy(32)
    assert scaled(Band(1, 2, 3), 45, 45) == Band(1 / 2.2, 2.0, 3 * 2.2)


@pytest.mark.parametrize("node", [5, 250])
def test_nodes_outside_the_fit_are_refused(node: float) -> None:
    with pytest.raises(ValueError, match=f"node={node}: the fit covers 7 to 180 nm"):
        scaled(Band(1, 1, 1), 45, node)


def test_a_supply_outside_the_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="voltage=0: expected a supply above 0 V"):
        relative_energy(45, 0)
    with pytest.raises(ValueError, match="does not reach down"):
        relative_energy(180, 0.5)


def test_the_band_holds_what_we_measured() -> None:
    """From each library to each other one: the measured energy lies in the scaled band, and the mid alone
    is off by more than two times somewhere, which is why nobody should quote it."""
    unit = UnitConfig(formats=("e2m1",), acc_bits=21)
    costs = {name: find_units(name, unit) for name in LIBRARIES}
    errors = []
    for old, new in permutations(LIBRARIES, 2):
        guess = scaled(
            costs[old].energy("mac", "mac"),
            costs[old].node_nm,
            costs[new].node_nm,
            from_voltage=costs[old].record["library"]["voltage_v"],
            to_voltage=costs[new].record["library"]["voltage_v"],
        )
        measured = costs[new].energy("mac", "mac").mid
        assert guess.low < measured < guess.high, (old, new)
        errors.append(measured / guess.mid)
    assert max(errors) > 2
    assert min(errors) < 0.5


def test_the_figure_shows_every_anchor() -> None:
    figure = calibration_figure([Ours("E2M1, ASAP7", 7, Band(90, 120, 190))])
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert len(texts) == len(published()) + 1
    assert "E2M1, ASAP7" in texts
    with pytest.raises(ValueError, match="ours: no figure"):
        calibration_figure([])
