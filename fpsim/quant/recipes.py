"""The recipes by name, and quantizing a workload's model with one."""

from __future__ import annotations

from fpsim.array.config import ArrayConfig
from fpsim.dit.domains import DEFAULT_DOMAIN
from fpsim.dit.model import DiT
from fpsim.dit.workload import calibration_noise
from fpsim.quant.baselines import BASELINE_RECIPES
from fpsim.quant.best import SearchedW4A4
from fpsim.quant.blocks import BLOCK_RECIPES
from fpsim.quant.calibration import Calibration, observe_model
from fpsim.quant.fpq import FPQ
from fpsim.quant.groups import GROUPED_RECIPES
from fpsim.quant.halves import HalfPrecision
from fpsim.quant.hq_recipes import HQ_RECIPES
from fpsim.quant.htg_recipes import HTG_RECIPES
from fpsim.quant.mixed import MIXED_RECIPES
from fpsim.quant.naive import NaiveStatic
from fpsim.quant.recipe import QuantizedModel, Recipe
from fpsim.quant.released import ReleasedW8A8
from fpsim.quant.rotated import RotatedPerToken
from fpsim.quant.smoothquant import SMOOTH_RECIPES
from fpsim.quant.viditq import VIDITQ_RECIPES

_ALL: tuple[Recipe, ...] = (
    NaiveStatic(),
    RotatedPerToken(),
    HalfPrecision(),
    ReleasedW8A8(),
    *BLOCK_RECIPES,
    *GROUPED_RECIPES,
    *HTG_RECIPES,
    *BASELINE_RECIPES,
    *SMOOTH_RECIPES,
    FPQ(),
    *HQ_RECIPES,
    SearchedW4A4(),
    *VIDITQ_RECIPES,
    *MIXED_RECIPES,
)
RECIPES = {recipe.name: recipe for recipe in _ALL}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises ValueError naming the known ones."""
    if name not in RECIPES:
        raise ValueError(f"recipe={name!r}: expected one of {', '.join(RECIPES)}")
    return RECIPES[name]


def calibrate(model: DiT, domain: str = DEFAULT_DOMAIN) -> Calibration:
    """What a domain's model feeds its linears on the stored calibration noise (60 images, 20 steps)."""
    return observe_model(model, *calibration_noise(domain))


def quantize_model(
    model: DiT, recipe: str, config: ArrayConfig, domain: str = DEFAULT_DOMAIN
) -> QuantizedModel:
    """Calibrate a domain's model and quantize it by the recipe of that name."""
    return get_recipe(recipe).quantize(model, calibrate(model, domain), config)
