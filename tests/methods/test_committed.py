"""The committed table of methods: it is of these recipes and this code, and shows what the page says."""

from __future__ import annotations

import re
import statistics
from pathlib import Path

import pytest

from fpsim.methods.measure import Sampling, measure, sample_fp32
from fpsim.methods.run import priced
from fpsim.quant.recipes import RECIPES
from fpsim.report.methods import MethodsTable, tables_from_json

ROOT = Path(__file__).parents[2]
TABLES = {table.model: table for table in tables_from_json(ROOT / "notebooks" / "data" / "methods.json")}
MODELS = tuple(TABLES)


def fd(model: str, recipe: str) -> float:
    """Distance to the FP32 samples of the same noise, mean over the seeds."""
    (row,) = [row for row in TABLES[model].rows if row.recipe == recipe]
    return row.mean("fd_fp32")


@pytest.mark.parametrize("model", MODELS)
def test_every_recipe_has_its_line(model: str) -> None:
    table = TABLES[model]
    assert [row.recipe for row in table.rows] == ["fp32", *RECIPES]
    assert [row.title for row in table.rows[1:]] == [recipe.title for recipe in RECIPES.values()]
    assert table.images >= 500
    assert table.steps == 20
    assert all([seed.seed for seed in row.seeds] == [0, 1, 2] for row in table.rows)
    assert all(len(row.epsilon_sqnr_db) == 20 for row in table.rows[1:])


@pytest.mark.parametrize("recipe", ["naive-w4a4", "rotated-w4a4"])
def test_the_table_is_of_this_code(recipe: str) -> None:
    """A line measured again. Another processor rounds FP32 on the host otherwise, and paths drift apart."""
    sampling = Sampling(images=500, seeds=1)
    again = measure("digits", recipe, [sample_fp32("digits", 0, sampling)], sampling)
    (row,) = [row for row in TABLES["digits"].rows if row.recipe == recipe]
    seed, found = row.seeds[0], again.seeds[0]
    assert found.fd_fp32 == pytest.approx(seed.fd_fp32, rel=0.05)
    assert found.accuracy == pytest.approx(seed.accuracy, abs=0.005)
    assert again.schedule == row.schedule
    assert list(again.epsilon_sqnr_db.values()) == pytest.approx(list(row.epsilon_sqnr_db.values()), abs=0.3)


@pytest.mark.parametrize("model", MODELS)
def test_prices_are_those_of_the_present_unit_costs(model: str) -> None:
    """If not, `fpsim methods --out notebooks/data --reprice` mends it."""
    assert priced(TABLES[model], "asap7") == TABLES[model]


@pytest.mark.parametrize("model", MODELS)
def test_every_recipe_has_passes_cycles_and_energy(model: str) -> None:
    for row in TABLES[model].rows[1:]:
        price = row.price
        assert price is not None
        assert price.passes is not None
        assert price.passes >= 1
        assert price.cycles is not None
        assert price.cycles > 0
        assert price.energy_pj is not None
        assert 0 < price.energy_pj.low < price.energy_pj.mid < price.energy_pj.high


@pytest.mark.parametrize(("recipe", "block"), [("mxfp4", 32), ("nvfp4-gptq", 16)])
def test_blocks_take_as_many_multipliers(recipe: str, block: int) -> None:
    """256 products a cycle on 2 x 4 (MX) or 4 x 4 units, and 4 cycles for the last sum of every layer."""
    (row,) = [row for row in TABLES["digits"].rows if row.recipe == recipe]
    assert row.price is not None
    assert row.schedule is not None
    rows, cols = (2, 4) if block == 32 else (4, 4)
    expected = sum(
        work.steps * (-(-x.rows // rows) * -(-x.n // cols) * -(-x.k // block) + 4)
        for work in row.schedule.work
        for x in work.layers
    )
    assert row.price.cycles == expected


def test_distances_are_what_the_project_promises() -> None:
    assert fd("digits", "hq-dit-w4a4") <= 0.01 * fd("digits", "naive-w4a4")
    for recipe in ("htg-w8a8", "vidit-q-w8a8"):
        assert fd("digits", recipe) <= 0.002
    for recipe in ("htg-w4a8", "vidit-q-gptq-w4a8", "vidit-q-mp-w4a8"):
        assert fd("digits", recipe) <= 0.01
    four_bits = [
        row.recipe
        for row in TABLES["digits"].rows
        if row.price is not None and row.price.weight_bits_mac == row.price.activation_bits_mac == 4
    ]
    assert len(four_bits) > 20
    assert min(four_bits, key=lambda recipe: fd("digits", recipe)) == "fpsim-best-w4a4"


def test_outliers_break_naive_fp4_and_not_hq_dit() -> None:
    """The stress model; timestep groups need HTG's shift and scale there, which digits alone do not show."""
    assert MODELS == ("digits", "glyphs", "digits-stress")
    assert fd("digits-stress", "naive-w4a4") > 50
    assert fd("digits-stress", "hq-dit-w4a4") < 0.15
    ladder = [fd("digits-stress", f"{name}-w4a6") for name in ("static", "groups", "htg")]
    assert ladder[0] > 2 * ladder[1] > 100 * ladder[2]


def test_methods_keep_their_order_on_another_domain() -> None:
    assert fd("glyphs", "hq-dit-w4a4") < 0.05 * fd("glyphs", "naive-w4a4")
    for eight in ("htg-w8a8", "vidit-q-w8a8"):
        assert fd("glyphs", eight) < 0.001
    for mixed, plain in (("vidit-q-mp-w4a8", "vidit-q-gptq-w4a8"), ("vidit-q-mp-w4a4", "vidit-q-w4a4")):
        assert fd("glyphs", mixed) < fd("glyphs", plain)


@pytest.mark.parametrize("model", MODELS)
def test_float_imitation_and_machine_tell_the_same_story(model: str) -> None:
    """They part where float32 and integers round one code differently; ranks and sizes stay."""
    rows = [row for row in TABLES[model].rows[1:] if row.recipe != "fp16"]
    ratios = [row.mean("fake_fd_fp32") / row.mean("fd_fp32") for row in rows]
    assert statistics.median(abs(ratio - 1) for ratio in ratios) < 0.05
    assert all(0.5 < ratio < 2 for ratio in ratios), dict(zip((r.recipe for r in rows), ratios, strict=True))


def test_seeds_spread_less_than_the_ladder_s_rungs_differ() -> None:
    """Static, groups, HTG at six bits: each step is larger than what another seed makes."""
    by_name = {row.recipe: row for row in TABLES["digits"].rows}
    static, groups, full = (by_name[f"{name}-w4a4"] for name in ("static", "groups", "htg"))
    for worse, better in ((static, groups), (groups, full)):
        gap = worse.mean("fd_fp32") - better.mean("fd_fp32")
        assert gap > 2 * (worse.spread("fd_fp32") + better.spread("fd_fp32"))


def test_the_page_quotes_the_table() -> None:
    """README's cells "mean ± standard deviation" of every recipe that it lists, model by model."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (head,) = [line for line in readme.splitlines() if line.startswith("| recipe | digits |")]
    models = [cell.strip() for cell in head.strip("|").split("|")][1 : 1 + len(MODELS)]
    assert tuple(models) == MODELS
    quoted = re.findall(r"^\| `[\w-]+` \|.*±.*$", readme, flags=re.M)
    assert len(quoted) >= 20
    for line in quoted:
        recipe, *cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        for model, cell in zip(models, cells, strict=False):
            assert cell == distance_cell(TABLES[model], recipe), (recipe, model)


def distance_cell(table: MethodsTable, recipe: str) -> str:
    """Three significant digits of the mean, two of the deviation."""
    (row,) = [row for row in table.rows if row.recipe == recipe]
    return f"{row.mean('fd_fp32'):.3g} ± {row.spread('fd_fp32'):.2g}"
