"""First samples of every arithmetic side by side, as a PNG whose pixels are exactly those of the data."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fpsim.report.data import ModelQuality, Quality
from fpsim.report.drawing import DARK, LIGHT, plain, png, text_width
from fpsim.report.findings import ranked

MAX_COLUMNS = 20
TILE = 80  # pixels of an image's larger side, at least
GAP = 8  # between images
MARGIN = 16  # around the grid
FONT_POINTS = 17.0  # at 100 pixels per inch; the report shows the picture at half its size
Theme = Literal["light", "dark"]


def grey_levels(row: Quality) -> NDArray[np.uint8]:
    """Images of a row as grey levels (N, H, W): -1 is 0, +1 is 255, beyond is cut.

    Raises:
        ValueError: no image, or images of different shapes.
    """
    try:
        values = np.array(row.images, dtype=np.float64)
    except ValueError:
        values = np.empty(0)
    if values.ndim != 3 or values.size == 0:
        raise ValueError(f"images of {row.name!r}: expected at least one, all of the same height and width")
    levels: NDArray[np.uint8] = np.rint((values.clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    return levels


def shown_images(model: ModelQuality) -> int:
    """Images per row that fit and that every row has."""
    return min([MAX_COLUMNS, *(len(row.images) for row in model.rows)])


def grid_pixels(model: ModelQuality, paper: str) -> NDArray[np.uint8]:
    """The grid alone, RGB (height, width, 3): nearest interpolation, one row of images per arithmetic."""
    rows = [grey_levels(row)[: shown_images(model)] for row in ranked(model)]
    shapes = {images.shape[1:] for images in rows}
    if len(shapes) != 1:
        raise ValueError(f"images of {model.name!r}: rows of different sizes {sorted(shapes)}")
    height, width = shapes.pop()
    scale = max(1, -(-TILE // max(height, width)))
    step_y, step_x = height * scale + GAP, width * scale + GAP
    background = [int(paper[i : i + 2], 16) for i in (1, 3, 5)]
    canvas = np.empty((len(rows) * step_y - GAP, len(rows[0]) * step_x - GAP, 3), dtype=np.uint8)
    canvas[:] = background
    for i, images in enumerate(rows):
        for j, image in enumerate(images):
            tile = np.kron(image, np.ones((scale, scale), dtype=np.uint8))
            canvas[i * step_y :, j * step_x :][: tile.shape[0], : tile.shape[1]] = tile[..., None]
    return canvas


def image_grid(model: ModelQuality, theme: Theme = "light") -> bytes:
    """The labelled grid as PNG, to be shown at half its size.

    The grid's right and upper edges are `MARGIN` pixels from the picture's.

    Raises:
        ValueError: the model has no rows, or rows without images or of different sizes.
    """
    if not model.rows:
        raise ValueError(f"rows of {model.name!r}: empty, nothing to draw")
    colours = DARK if theme == "dark" else LIGHT
    grid = grid_pixels(model, colours["--paper"])
    labels = [plain("FP32" if row.name == "fp32" else row.name) for row in ranked(model)]
    left = MARGIN + text_width(labels, FONT_POINTS) + MARGIN
    width, height = left + grid.shape[1] + MARGIN, grid.shape[0] + 2 * MARGIN
    step = (grid.shape[0] + GAP) / len(labels)

    def draw(figure: Figure) -> None:
        figure.figimage(grid, left, MARGIN, origin="upper")
        for i, label in enumerate(labels):
            y = 1 - (MARGIN + i * step + (step - GAP) / 2) / height
            figure.text(
                (left - MARGIN) / width,
                y,
                label,
                ha="right",
                va="center",
                color=colours["--ink"],
                fontsize=FONT_POINTS,
            )

    return png(width, height, draw, colours["--paper"])


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
