"""The whole table: references first, then every recipe on every model, side by side, each kept when done.

A finished line lies as JSON in the output folder, under a key of everything that it depends on: the sampling,
the recipe's name and the sources that compute it. A run that was cut off goes on where it was; a line of
other sources is measured again. Prices are made anew every time: they follow the unit costs, not the samples.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from fpsim.array.config import ArrayConfig
from fpsim.dit.diffusion import Images
from fpsim.dit.threads import single_threaded_children, use_threads
from fpsim.dit.workload import domain_of
from fpsim.estimate import find_units
from fpsim.methods.measure import Sampling, floor_of, measure, measure_fp32, sample_fp32
from fpsim.methods.price import price
from fpsim.quant.recipes import get_recipe
from fpsim.report.files import strict, write_set
from fpsim.report.markdown import markdown_table
from fpsim.report.methods import (
    MethodRow,
    MethodsTable,
    methods_csv,
    methods_table,
    row_from_dict,
    tables_from_json,
)

Progress = Callable[[str, int, int], None]

SOURCES = ("formats", "kernels", "array", "dit", "quant", "methods")
JSON_NAME, CSV_NAME, TEXT_NAME = "methods.json", "methods.csv", "methods.md"


def run_methods(
    out: Path, models: list[str], recipes: list[str], sampling: Sampling, library: str, progress: Progress
) -> list[MethodsTable]:
    """Measure what is missing and write `methods.json`, `methods.csv` and `methods.md`.

    Args:
        out: folder of results and of the lines already measured.
        models: names of image models.
        recipes: names of recipes; FP32 always comes first.
        sampling: images, steps, seeds.
        library: characterized cell library for energies.
        progress: called with (what, done, total).

    Raises:
        ValueError: an unknown model or recipe, before anything is measured.
    """
    for recipe in recipes:
        get_recipe(recipe)
    for model in models:
        domain_of(model)
    store = _Store(out / "lines", sampling)
    with _workers() as pool:
        references = _references(pool, models, sampling, progress)
        rows = _rows(pool, store, models, recipes, references, progress)
    tables = [
        MethodsTable(
            model,
            sampling.images,
            sampling.steps,
            library,
            floor_of(model, references[model]),
            [measure_fp32(model, references[model], sampling), *(rows[model, recipe] for recipe in recipes)],
        )
        for model in models
    ]
    tables = [priced(table, library) for table in tables]
    write_tables(out, tables)
    return tables


def reprice(out: Path, library: str) -> list[MethodsTable]:
    """Give the tables in a folder the present prices; qualities stay as they were measured.

    Raises:
        OSError, ValueError, KeyError, TypeError: there is no methods.json, or it is something else.
    """
    tables = [priced(table, library) for table in tables_from_json(out / JSON_NAME)]
    write_tables(out, tables)
    return tables


def priced(table: MethodsTable, library: str) -> MethodsTable:
    """The table with the prices that its schedules have by the present unit costs of a cell library."""
    config = ArrayConfig()
    units = find_units(library, config.unit)
    rows = [
        row if row.schedule is None else replace(row, price=price(row.schedule, config, units))
        for row in table.rows
    ]
    return replace(table, library=library, rows=rows)


def write_tables(out: Path, tables: list[MethodsTable]) -> None:
    """Write the tables in all three forms, all or none."""
    content = json.dumps(strict({"tables": [asdict(table) for table in tables]}), indent=1) + "\n"
    text = "\n".join(markdown_table(methods_table(table)) for table in tables)
    names = {JSON_NAME: content, CSV_NAME: methods_csv(tables), TEXT_NAME: text}
    write_set(out, {name: text.encode() for name, text in names.items()})


@contextmanager
def _workers() -> Iterator[ProcessPoolExecutor]:
    """One process a core, one thread each."""
    context = multiprocessing.get_context("spawn")
    with (
        single_threaded_children(),
        ProcessPoolExecutor(os.cpu_count() or 1, context, use_threads, (1,)) as pool,
    ):
        try:
            yield pool
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _references(
    pool: ProcessPoolExecutor, models: list[str], sampling: Sampling, progress: Progress
) -> dict[str, list[Images]]:
    """FP32 samples of every model and seed."""
    jobs = {
        pool.submit(sample_fp32, model, seed, sampling): (model, seed)
        for model in models
        for seed in range(sampling.seeds)
    }
    found: dict[tuple[str, int], Images] = {}
    progress("FP32 samples", 0, len(jobs))
    for done in as_completed(jobs):
        found[jobs[done]] = done.result()
        progress("FP32 samples", len(found), len(jobs))
    return {model: [found[model, seed] for seed in range(sampling.seeds)] for model in models}


def _rows(
    pool: ProcessPoolExecutor,
    store: _Store,
    models: list[str],
    recipes: list[str],
    references: dict[str, list[Images]],
    progress: Progress,
) -> dict[tuple[str, str], MethodRow]:
    """Every line: those that the store has, and the others measured and put there one by one."""
    wanted = [(model, recipe) for model in models for recipe in recipes]
    rows = {line: row for line in wanted if (row := store.load(*line)) is not None}
    jobs = {
        pool.submit(measure, *line, references[line[0]], store.sampling): line
        for line in wanted
        if line not in rows
    }
    progress("recipes", len(rows), len(wanted))
    for done in as_completed(jobs):
        row = done.result()
        store.save(row)
        rows[jobs[done]] = row
        progress("recipes", len(rows), len(wanted))
    return rows


class _Store:
    """The lines already measured."""

    def __init__(self, folder: Path, sampling: Sampling) -> None:
        self.folder = folder
        self.sampling = sampling
        self.key = _key(sampling)

    def load(self, model: str, recipe: str) -> MethodRow | None:
        """The line, if it was measured under the same key; None otherwise, or where its file is damaged."""
        try:
            data = json.loads((self.folder / f"{model}-{recipe}.json").read_text(encoding="utf-8"))
            return row_from_dict(data["row"]) if data["key"] == self.key else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, row: MethodRow) -> None:
        """Write the line, whole or not at all."""
        content = json.dumps(strict({"key": self.key, "row": asdict(row)}), indent=1)
        write_set(self.folder, {f"{row.model}-{row.recipe}.json": content.encode()})


def _key(sampling: Sampling) -> str:
    """What a line depends on besides its model and recipe."""
    digest = hashlib.sha256(json.dumps(asdict(sampling)).encode())
    root = Path(__file__).parents[1]
    for package in SOURCES:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
