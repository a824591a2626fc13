"""Pictures hold the data's pixels and names, in any order of magnitude and with any text."""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.report import drawing, figures, images, pie
from fpsim.report.data import Energy, LayerCostRow, UnitArea, WorkloadCost
from tests.report import sample

HOSTILE = "<b>&\"'$\\frac{$]]>\x00\n"


def svg_texts(svg: str) -> str:
    """All text of a well-formed SVG document."""
    return " ".join(
        "".join(node.itertext()) for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    )


def decoded(content: bytes) -> NDArray[np.uint8]:
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    pixels = matplotlib.image.imread(io.BytesIO(content), format="png")
    return np.rint(pixels[..., :3] * 255).astype(np.uint8)


def test_every_pixel_of_the_grid_is_that_of_the_data() -> None:
    model = sample.model()
    picture = decoded(images.image_grid(model))
    scale, count = images.TILE // 8, 12
    step = images.TILE + images.GAP
    left = picture.shape[1] - images.MARGIN - count * step + images.GAP
    for i, row in enumerate(["fp32", "rotated-w4a4", "naive-w4a4"]):
        data = next(r for r in model.rows if r.name == row).images
        for j, image in enumerate(data):
            y, x = images.MARGIN + i * step, left + j * step
            tile = picture[y : y + images.TILE, x : x + images.TILE]
            expected = np.array([[round((min(1, max(-1, v)) + 1) * 127.5) for v in line] for line in image])
            np.testing.assert_array_equal(
                tile, np.kron(expected, np.ones((scale, scale)))[..., None].repeat(3, 2)
            )


def test_labels_stand_left_of_the_grid_and_gaps_are_paper() -> None:
    picture = decoded(images.image_grid(sample.model()))
    assert (picture[:, images.MARGIN : 150] < 128).any()
    assert (picture[: images.MARGIN] == 255).all()
    dark = decoded(images.image_grid(sample.model(), "dark"))
    assert dark.shape == picture.shape
    assert tuple(dark[0, 0]) == (0x15, 0x1A, 0x22)


def test_png_size_is_read_from_the_header() -> None:
    content = images.image_grid(sample.model())
    assert images.png_size(content) == decoded(content).shape[1::-1]


@pytest.mark.parametrize("pixels", [[], [[]], [[[0.0], [0.0, 1.0]]]])
def test_images_of_no_shape_are_refused(pixels: list[list[list[float]]]) -> None:
    with pytest.raises(ValueError, match=r"images of 'fp32'"):
        images.grey_levels(replace(sample.fp32(), images=pixels))


def test_rows_of_different_sizes_are_refused() -> None:
    rows = [sample.fp32(), replace(sample.recipe("x", 1, 1), images=[[[0.0]]])]
    with pytest.raises(ValueError, match="different sizes"):
        images.image_grid(replace(sample.model(), rows=rows))
    with pytest.raises(ValueError, match="rows of 'digits'"):
        images.image_grid(replace(sample.model(), rows=[]))


def test_layer_figure_names_every_layer_and_recipe() -> None:
    words = svg_texts(figures.layer_sqnr_figure(sample.model()))
    assert all(name.removeprefix("blocks.") in words for name in sample.LAYERS)
    assert "naive-w4a4" in words
    assert "rotated-w4a4" in words
    assert "∞" not in words


def test_infinite_sqnr_is_marked() -> None:
    model = sample.model()
    exact = replace(
        model.rows[1],
        layer_sqnr_db=dict.fromkeys(sample.LAYERS, math.inf),
        epsilon_sqnr_db=dict.fromkeys(sample.TIMESTEPS, math.inf),
    )
    alone = replace(model, rows=[model.rows[0], exact])
    assert svg_texts(figures.layer_sqnr_figure(alone)).count("∞") == len(sample.LAYERS)
    assert svg_texts(figures.epsilon_sqnr_figure(alone)).count("∞") == len(sample.TIMESTEPS)


def test_names_are_text_never_mathematics_nor_markup() -> None:
    model = sample.model()
    rows = [model.rows[0], replace(model.rows[1], name=HOSTILE, layer_sqnr_db={HOSTILE: 1.0})]
    shown = HOSTILE.replace("\x00", "\ufffd").replace("\n", "\ufffd")
    assert shown in svg_texts(figures.layer_sqnr_figure(replace(model, rows=rows)))
    assert shown in svg_texts(figures.epsilon_sqnr_figure(replace(model, rows=rows)))
    areas = [UnitArea(HOSTILE, 1, 10.0, 9.0)]
    assert shown in svg_texts(pie.area_pie(areas))
    decoded(images.image_grid(replace(model, rows=rows)))


def test_figures_follow_the_theme_and_repeat_bit_for_bit() -> None:
    svg = figures.epsilon_sqnr_figure(sample.model())
    assert svg == figures.epsilon_sqnr_figure(sample.model())
    assert "prefers-color-scheme:dark" in svg
    assert not re.search("|".join((drawing.INK, drawing.FAINT, drawing.PAPER)), svg)


def test_no_module_imports_pyplot() -> None:
    sources = list(Path(figures.__file__).parent.glob("*.py"))
    assert len(sources) > 5
    imports = re.compile(r"^\s*(from|import)\s.*pyplot", re.MULTILINE)
    assert not [path.name for path in sources if imports.search(path.read_text(encoding="utf-8"))]


def test_pie_labels_hold_area_gates_and_share() -> None:
    words = svg_texts(pie.area_pie(sample.areas()))
    assert "mac × 256" in words
    assert "61\u202f234 µm² · 70\u202f123 NAND2 · 67.7\u202f%" in words  # 61234.5 of 90418.375
    assert "other" in words
    assert "row_scale" not in words


def test_small_slices_are_merged_without_loss() -> None:
    slices, merged = pie.area_slices(sample.areas())
    assert [part.name for part in merged] == ["epilogue × 16", "row_scale", "control"]
    assert slices[-1].name == "other"
    assert slices[-1].area_um2 == 1312.0 + 512.125 + 208.0
    assert math.isclose(sum(part.share for part in slices), 1)
    assert pie.area_slices(sample.areas()[:5])[1] == []


def test_spread_heights_keep_order_and_distance() -> None:
    heights = [0.9, 1.0, 1.02, -1.0]
    moved = pie.spread(heights, 0.3)
    assert moved[3] == -1.0
    assert np.diff(moved[:3]) == pytest.approx([0.3, 0.3])
    assert sum(moved[:3]) == pytest.approx(sum(heights[:3]))


def test_a_pie_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0"):
        pie.area_pie([])


def test_energy_figure_names_components_and_unit() -> None:
    words = svg_texts(figures.layer_energy_figure(sample.workload()))
    assert all(name in words for name in ("MAC", "registers", "Hadamard", "SRAM", "DRAM", "energy (µJ)"))


def test_of_many_layers_those_that_cost_most_are_drawn() -> None:
    layers = [LayerCostRow(f"l{i}", 1, 1, 1.0, {"MAC": Energy(0, float(i % 70), 99)}) for i in range(140)]
    shown = figures.shown_layers(WorkloadCost("w", "w", layers, 1, 1, Energy(1, 1, 1)))
    assert len(shown) == figures.MAX_LAYERS
    assert [layer.layer for layer in shown[:2]] == ["l40", "l41"]


@pytest.mark.parametrize(
    ("names", "prefix"),
    [(["blocks.0.a", "blocks.1.a"], "blocks."), (["a.b.c", "a.b.d"], "a.b."), (["a", "a.b"], ""), ([], "")],
)
def test_shared_prefix(names: list[str], prefix: str) -> None:
    assert figures.common_prefix(names) == prefix
