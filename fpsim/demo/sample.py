"""Sample one model under chosen recipes and draw the images side by side."""

from __future__ import annotations

from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.demo.parallel import measure_models
from fpsim.demo.progress import progress_bars
from fpsim.demo.quality import SHOWN_RECIPES, Sampling
from fpsim.quant.recipes import get_recipe
from fpsim.report.data import ModelQuality
from fpsim.report.files import check_folder, write_set
from fpsim.report.images import image_grid


def sample_side_by_side(
    out: Path, model: str, recipes: list[str], sampling: Sampling, config: ArrayConfig
) -> ModelQuality:
    """Measure FP32 and the recipes (two if none is named) on one model and write the images as one PNG.

    Raises:
        ValueError: an unknown model or recipe, or numbers out of range.
        OSError: `out` cannot be written; known before anything runs.
    """
    for recipe in recipes:
        get_recipe(recipe)
    check_folder(out.parent)
    with progress_bars() as progress:
        (quality,) = measure_models([model], recipes or list(SHOWN_RECIPES), config, sampling, progress)
    write_set(out.parent, {out.name: image_grid(quality)})
    return quality
