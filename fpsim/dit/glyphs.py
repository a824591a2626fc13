"""The second domain's images: capital letters drawn from the fonts that matplotlib ships.

Letters share little with handwritten digits (straight strokes, serifs, 26 classes, four times the pixels),
and no one's data is needed to draw them. Only outlines are taken from the fonts, without hinting; placing is
ours, and filling is matplotlib's, by the area that ink covers. Only training and evaluation draw them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsim.dit.dataset import DataSet

if TYPE_CHECKING:
    from matplotlib.path import Path as Outline

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIDE = 16  # pixels
# DejaVu and STIX in regular, bold, slanted and both; Computer Modern in five shapes.
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-Oblique",
    "DejaVuSansMono-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
    "cmr10",
    "cmb10",
    "cmss10",
    "cmtt10",
    "cmti10",
)
TRAIN_VARIANTS = 8  # drawings of every letter in every font
TEST_VARIANTS = 2
SEED = 0
# What is ours: the size of a letter in pixels before jitter, and how far a drawing strays from it.
HEIGHT = 11.0  # of a letter, unless it would be wider than WIDTH
WIDTH = 12.5
MAX_DEGREES = 8.0
MAX_SHIFT = 0.5  # pixels, along either axis
SIZES = (0.92, 1.06)


@dataclass(frozen=True)
class Placement:
    """How a letter is drawn: turned by `degrees` counter-clockwise, times `size`, shifted by pixels."""

    degrees: float = 0.0
    size: float = 1.0
    right: float = 0.0
    up: float = 0.0


def letter_outline(letter: str, font: str) -> Outline:
    """The outline of a letter, scaled to 11 pixels of height or 12.5 of width, centred on the origin.

    Args:
        letter: one character.
        font: name of a TrueType file that matplotlib ships, without its ending.

    Raises:
        FileNotFoundError: if this matplotlib ships no such font.
    """
    import matplotlib
    from matplotlib.font_manager import FontProperties
    from matplotlib.path import Path as Outline
    from matplotlib.textpath import TextPath

    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{font}.ttf"
    if not file.is_file():
        raise FileNotFoundError(f"font={font!r}: {file} is missing; reinstall matplotlib")
    text = TextPath((0, 0), letter, size=100, prop=FontProperties(fname=file))
    box = text.get_extents()
    scale = min(HEIGHT / box.height, WIDTH / box.width)
    centre = [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]
    return Outline((text.vertices - centre) * scale, text.codes)


def draw(outline: Outline, placement: Placement) -> NDArray[np.float32]:
    """Fill an outline on a square of 16 pixels a side, its origin in the middle.

    Returns:
        float32 (16, 16), the ink's share of each pixel, from -1 for paper to 1, in steps of 2/255.
    """
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.transforms import Affine2D

    renderer: Any = RendererAgg(SIDE, SIDE, dpi=72)  # type: ignore[no-untyped-call]
    context = renderer.new_gc()
    context.set_linewidth(0)
    context.set_snap(False)
    turn = Affine2D().rotate(math.radians(placement.degrees)).scale(placement.size)
    place = turn.translate(SIDE / 2 + placement.right, SIDE / 2 + placement.up)
    renderer.draw_path(context, outline, place, (0.0, 0.0, 0.0))
    ink = np.asarray(renderer.buffer_rgba())[..., 3]  # the square starts transparent
    image: NDArray[np.float32] = ((ink * 2.0 - 255) / 255).astype(np.float32)
    return image


def random_placement(rng: np.random.Generator) -> Placement:
    """Even draws: up to 8 degrees to either side, sizes 0.92 to 1.06, half a pixel along either axis."""
    return Placement(
        degrees=rng.uniform(-MAX_DEGREES, MAX_DEGREES),
        size=rng.uniform(*SIZES),
        right=rng.uniform(-MAX_SHIFT, MAX_SHIFT),
        up=rng.uniform(-MAX_SHIFT, MAX_SHIFT),
    )


def load_glyphs() -> DataSet:
    """Draw the letters: 26 of them in 21 fonts, eight times for training and twice for the test.

    Every drawing has a placement of its own, so no test image is among the training images; the fonts are the
    same, so the test asks for new placements, not for new shapes. The draws come from one seed; outlines
    depend on the fonts, which matplotlib may replace by newer ones.

    Returns:
        4368 training and 1092 test images (1, 16, 16), -1 is paper and 1 is ink, labels 0 for A to 25 for Z;
        both in random order.

    Raises:
        FileNotFoundError: if this matplotlib lacks one of the fonts.
    """
    rng = np.random.default_rng(SEED)
    variants = TRAIN_VARIANTS + TEST_VARIANTS
    images = np.empty((len(FONTS), len(LETTERS), variants, 1, SIDE, SIDE), np.float32)
    for f, font in enumerate(FONTS):
        for i, letter in enumerate(LETTERS):
            outline = letter_outline(letter, font)
            for v in range(variants):
                images[f, i, v, 0] = draw(outline, random_placement(rng))
    labels = np.broadcast_to(np.arange(len(LETTERS))[:, None], images.shape[:3]).astype(np.int64)
    train, test = (
        _shuffled(images[:, :, part], labels[:, :, part], rng)
        for part in (slice(TRAIN_VARIANTS), slice(TRAIN_VARIANTS, None))
    )
    return DataSet(*train, *test)


def _shuffled(
    images: NDArray[np.float32], labels: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Images (..., 1, 16, 16) and labels (...) as (N, 1, 16, 16) and (N,), in random order."""
    order = rng.permutation(labels.size)
    return images.reshape(-1, 1, SIDE, SIDE)[order], labels.reshape(-1)[order]
