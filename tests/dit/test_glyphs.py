"""Letters drawn to train on, against areas that are known and against points in polygons."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.path import Path as Outline

from fpsim.dit.dataset import DataSet
from fpsim.dit.glyphs import FONTS, LETTERS, Placement, draw, letter_outline, load_glyphs

STEP = 2 / 255  # between grey values
FINE = 16  # points along each side of a pixel


@pytest.fixture(scope="module")
def glyphs() -> DataSet:
    return load_glyphs()


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Outline:
    return Outline([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], closed=True)


def test_a_pixel_is_the_share_of_its_area_under_ink() -> None:
    # Edges at eighths of a pixel; the origin is the middle of 16 pixels, the y axis points up.
    x0, y0, x1, y1 = -3.125, -1.5, 4.75, 5.25
    edges = np.arange(17) - 8.0
    across = np.clip(np.minimum(edges[1:], x1) - np.maximum(edges[:-1], x0), 0, None)
    along = np.clip(np.minimum(edges[1:], y1) - np.maximum(edges[:-1], y0), 0, None)[::-1]
    expected = 2 * np.outer(along, across) - 1
    found = draw(rectangle(x0, y0, x1, y1), Placement())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=STEP)


def test_placement_turns_counter_clockwise_then_scales_then_shifts() -> None:
    letter = letter_outline("F", "DejaVuSans")
    upright = draw(letter, Placement())
    np.testing.assert_allclose(draw(letter, Placement(degrees=90)), np.rot90(upright), atol=2 * STEP)
    moved = draw(letter, Placement(right=2, up=1))
    np.testing.assert_allclose(moved, np.roll(upright, (-1, 2), axis=(0, 1)), atol=2 * STEP)
    half = draw(letter, Placement(size=0.5))
    # A quarter of the ink; 256 pixels are rounded one by one.
    assert (half + 1).sum() == pytest.approx((upright + 1).sum() / 4, abs=256 * STEP / 2)


@pytest.mark.parametrize("letter", ["A", "B", "L", "O", "S"])
@pytest.mark.parametrize("font", ["DejaVuSerif-Bold", "STIXGeneralItalic", "cmr10"])
def test_letters_are_filled_as_points_in_polygons_say(letter: str, font: str) -> None:
    """A point is ink where it lies in an odd number of contours."""
    placement = Placement(degrees=-7.0, size=1.05, right=0.3, up=-0.4)
    outline = letter_outline(letter, font)
    angle = np.deg2rad(placement.degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    ticks = (np.arange(16 * FINE) + 0.5) / FINE - 8
    x, y = np.meshgrid(ticks - placement.right, ticks[::-1] - placement.up)
    points = np.stack([x.ravel(), y.ravel()], axis=1) / placement.size @ turn.T
    inside = np.zeros(len(points), bool)
    for polygon in outline.to_polygons():
        inside ^= Outline(polygon).contains_points(points)
    share = inside.reshape(16, FINE, 16, FINE).mean(axis=(1, 3))
    found = draw(outline, placement)
    # An edge through a pixel is seen by its points to one row of them; curves are flattened differently.
    assert np.abs(found - (2 * share - 1)).max() < 2.5 / FINE
    assert np.abs(found - (2 * share - 1)).mean() < 0.01


@pytest.mark.parametrize("font", FONTS)
def test_every_letter_fits_and_is_centred(font: str) -> None:
    for letter in LETTERS:
        box = letter_outline(letter, font).get_extents()
        np.testing.assert_allclose([box.x0 + box.x1, box.y0 + box.y1], 0, atol=1e-9)
        filled = box.width / 12.5, box.height / 11
        assert max(filled) == pytest.approx(1)
        assert min(filled) > 0.05


def test_a_font_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"font='Comic': .*reinstall matplotlib"):
        letter_outline("A", "Comic")


def test_split_is_even_disjoint_and_repeatable(glyphs: DataSet) -> None:
    assert glyphs.train_images.shape == (4368, 1, 16, 16)
    assert glyphs.test_images.shape == (1092, 1, 16, 16)
    assert np.bincount(glyphs.train_labels).tolist() == [8 * len(FONTS)] * 26
    assert np.bincount(glyphs.test_labels).tolist() == [2 * len(FONTS)] * 26
    both = np.concatenate([glyphs.train_images, glyphs.test_images]).reshape(-1, 256)
    assert len(np.unique(both, axis=0)) == len(both)
    again = load_glyphs()
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(again, name), getattr(glyphs, name))


def test_pixels_are_grey_values_between_paper_and_ink(glyphs: DataSet) -> None:
    assert glyphs.train_images.dtype == np.float32
    levels = (glyphs.train_images.astype(np.float64) + 1) / STEP
    np.testing.assert_allclose(levels, levels.round(), atol=1e-4)
    assert set(np.unique(levels.round())) == set(range(256))
    # Letters stay on the paper: the outermost pixels are rarely touched.
    border = np.ones((16, 16), bool)
    border[1:-1, 1:-1] = False
    assert (glyphs.train_images[:, 0, border] > -1).mean() < 0.01


def test_labels_name_the_letters(glyphs: DataSet) -> None:
    """The mean image of a class is nearest to the upright letters of that class."""
    upright = {
        letter: np.mean([draw(letter_outline(letter, font), Placement()) for font in FONTS], axis=0)
        for letter in LETTERS
    }
    for label, letter in enumerate(LETTERS):
        mean = glyphs.train_images[glyphs.train_labels == label, 0].mean(axis=0)
        distances = {other: np.square(mean - image).sum() for other, image in upright.items()}
        assert min(distances, key=distances.__getitem__) == letter
