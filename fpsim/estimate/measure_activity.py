"""Measure the committed energies of real data anew: `python -m fpsim.estimate.measure_activity LIBERTY`.

Synthesizes one processing element and the Hadamard engine, fits the element's table (code, next code) to
made-up codes, runs the embedded models under several recipes on the machine, counts what moves in every layer
at every timestep, and replays traces of some layers to say how far off the table is. Writes one file,
`data/activity_<library>.json`, whole or not at all. About a quarter of an hour.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsim.array.config import ArrayConfig
from fpsim.array.program import LayerProgram
from fpsim.array.protocol import Program
from fpsim.dit.files import write_whole
from fpsim.dit.threads import use_threads
from fpsim.dit.workload import domain_of, load_model, sample_noise
from fpsim.estimate.activity import (
    ARRAY,
    DRAM,
    PATH,
    SRAM,
    LayerActivity,
    engine_toggles,
    input_rows,
    layer_activity,
    watch_layers,
)
from fpsim.estimate.activity_replay import (
    CYCLES,
    ELEMENT,
    ENGINE,
    LANES,
    Bench,
    build_reference,
    device,
    element_parameters,
    engine_parameters,
    engine_run,
    fit_element,
    fit_line,
    layer_pairs,
    replay,
)
from fpsim.estimate.activity_table import ENDS, SCHEMA_VERSION, ElementTable
from fpsim.estimate.characterize import RTL, WIRE, rtl_hash
from fpsim.estimate.constants import load_constants
from fpsim.estimate.costs import DATA
from fpsim.estimate.liberty import Library
from fpsim.estimate.liberty_text import read_text
from fpsim.estimate.reference import verilator_version
from fpsim.estimate.stimulus import gaussian, with_uniform_codes
from fpsim.estimate.synth import Synthesizer, source_files, yosys_version
from fpsim.kernels.align import align
from fpsim.quant.hqdit import HQDiT
from fpsim.quant.recipe import Recipe
from fpsim.quant.recipes import calibrate, get_recipe

MODELS = ("digits", "digits-stress", "glyphs", "glyphs-stress")
# The same choices but for the rotation, which in the second is the Hadamard engine's own size.
PLAIN = HQDiT("e2m1", "e2m1", clipping="max", hadamard=None, gptq=False, name="plain-e2m1")
ROTATED = HQDiT("e2m1", "e2m1", clipping="max", hadamard=32, gptq=False, name="rotated-e2m1")
RECIPES = ("naive-w4a4", PLAIN, ROTATED, "hq-dit-w4a4-no-hadamard", "hq-dit-w4a4", "fpsim-best-w4a4")
IMAGES, STEPS, SEED = 4, 10, 1  # of the samples: from starting points that no recipe was calibrated with
REPLAYED_BLOCKS, REPLAYED_STEP = (0, 3), 5  # layers and the step whose traces are replayed
ENGINE_ROWS = 24
OUTLIER = 16.0

Progress = Callable[[str], None]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Benches:
    element: Bench
    engine: Bench


def recipe_of(entry: str | Recipe) -> Recipe:
    """A recipe of `RECIPES`."""
    return get_recipe(entry) if isinstance(entry, str) else entry


def measure_activity(
    liberty: Path,
    out: Path,
    progress: Progress = lambda text: None,
    *,
    models: Iterable[str] = MODELS,
    recipes: Iterable[str | Recipe] = RECIPES,
) -> dict[str, Any]:
    """Measure and write, whole or not at all.

    Args:
        liberty: a Liberty file of a library that constants.yaml lists, plain or .gz.
        out: the JSON file to write.
        progress: called with what comes next.
        models, recipes: what is run.

    Returns:
        What was written.

    Raises:
        ValueError: an unreadable or unknown library.
        RuntimeError: a tool is missing or failed, or a netlist does not compute what the RTL does.
    """
    config, library = ArrayConfig(), Library.read(liberty)
    facts = load_constants().library(library.name)
    modules = [ELEMENT, ENGINE]
    before = rtl_hash(RTL, modules)
    with tempfile.TemporaryDirectory(prefix="fpsim-activity-") as folder:
        progress("synthesize")
        benches = _benches(library, read_text(liberty), library.excluded(facts.exclude), config, Path(folder))
        progress("fit the element")
        table, fit = fit_element(benches.element, config)
        table = ElementTable.from_dict(table.to_dict())  # as rounded in the file
        references = _references(benches.element, config)
        progress("fit the engine")
        engine = _engine(benches.engine, config)
        replays: list[dict[str, Any]] = []
        counted: dict[str, Any] = {}
        for model in models:
            trained = load_model(model)
            calibration = calibrate(trained, domain_of(model))
            for recipe in map(recipe_of, recipes):
                progress(f"{model}, {recipe.name}: quantize")
                quantized = recipe.quantize(trained, calibration, config)
                progress(f"{model}, {recipe.name}: sample")
                run = _ModelRun(config, table, benches, model, recipe.name)
                start = sample_noise(domain_of(model), IMAGES, SEED)
                watch_layers(quantized, config, start.noise, start.labels, run.visit, steps=STEPS)
                counted.setdefault(model, {})[recipe.name] = run.record()
                replays += run.replays
                engine["held_out"] += run.engine_replays(engine)
    if rtl_hash(RTL, modules) != before:
        raise RuntimeError(f"{RTL}: the sources changed during the measurement; run it again")
    record = {
        "schema_version": SCHEMA_VERSION,
        "library": {
            "name": facts.name,
            "liberty_sha256": hashlib.sha256(read_text(liberty).encode()).hexdigest(),
            "source": facts.source,
            "node_nm": facts.node_nm,
            "corner": facts.corner,
            "voltage_v": library.voltage_v,
        },
        "tools": {"yosys": yosys_version(), "verilator": verilator_version()},
        "date": datetime.now(UTC).date().isoformat(),
        "rtl_sha256": before,
        "unit_config": {**config.to_dict()["unit"], "formats": list(config.unit.formats)},
        "rows": config.rows,
        "cols": config.cols,
        "wire_over_pin_capacitance": {"low": 0.0, "mid": WIRE, "high": WIRE},
        "activity": {"low": "zero delay", "mid": "zero delay", "high": "unit delay"},
        "trace": {"lanes": LANES, "cycles": CYCLES},
        "sampling": {"images": IMAGES, "steps": STEPS, "seed": SEED},
        "table": table.to_dict(),
        "fit": fit,
        **references,
        "rest_fj": np.round(benches.element.rest_fj, 3).tolist(),
        "hadamard": engine,
        "held_out": replays,
        "models": counted,
    }
    write_whole(out, (json.dumps(record, separators=(",", ":")).replace('],"', '],\n"') + "\n").encode())
    return record


def _benches(
    library: Library, text: str, excluded: tuple[str, ...], config: ArrayConfig, folder: Path
) -> _Benches:
    wanted = {ELEMENT: element_parameters(config), ENGINE: engine_parameters(config)}
    sources = source_files(RTL, list(wanted))
    synthesizer = Synthesizer(library, text, sources, folder)
    netlists = {top: synthesizer.run(top, sets, excluded).netlist for top, sets in wanted.items()}
    devices = {top: device(top, sets, netlists[top]) for top, sets in wanted.items()}
    reference = build_reference(devices, sources, folder / "reference")
    found = {top: Bench.of(top, netlist, library, reference) for top, netlist in netlists.items()}
    return _Benches(found[ELEMENT], found[ENGINE])


def _references(bench: Bench, config: ArrayConfig) -> dict[str, dict[str, list[float]]]:
    """Energy of an element's cycle on the data that unit costs are measured with, from the netlist."""
    found: dict[str, dict[str, list[float]]] = {"gaussian_fj": {}, "uniform_fj": {}}
    nothing = ElementTable.from_dict(_empty_table())
    for fmt in config.unit.formats:
        rows = gaussian(config, fmt)
        for name, data in (("gaussian_fj", rows), ("uniform_fj", with_uniform_codes(rows))):
            pairs = layer_pairs(data.a_codes, data.b_codes, config, SEED)
            energy, _ = replay(bench, nothing, pairs, fmt, fmt, config.unit.acc_bits)
            found[name][fmt] = np.round(energy, 3).tolist()
    return found


def _empty_table() -> dict[str, Any]:
    zeros = {fmt: np.zeros((3, 16, 16)).tolist() for fmt in ArrayConfig().unit.formats}
    terms = ("cycle", "product", "carry", "acc", "out", "op")
    return {
        "terms": list(terms),
        "terms_fj": np.zeros((3, len(terms))).tolist(),
        "a_fj": zeros,
        "b_fj": zeros,
    }


def _engine(bench: Bench, config: ArrayConfig) -> dict[str, Any]:
    """Energy of a beat against the rate of the engine's registers, on made-up rows: Gaussian, with outlier
    channels, sparse, constant."""
    random = np.random.default_rng(SEED)
    n = config.unit.hadamard_n
    signs = random.choice(np.array([-1, 1], np.int8), 3 * n)
    plain = random.standard_normal((ENGINE_ROWS, 3 * n))
    outliers = plain * np.where(np.arange(3 * n) % n < 2, OUTLIER, 1.0)
    sparse = np.where(random.random(plain.shape) < 0.2, plain, 0.0)
    steady = np.repeat(plain[:3], ENGINE_ROWS // 3, axis=0)
    alike = 1.0 + plain * 0.05
    found: dict[str, Any] = {"held_out": []}
    for mode, own in (("rotates", signs), ("passes", None)):
        rates, energies = [], []
        for rows in (plain, outliers, sparse, steady, alike):
            aligned, _, _ = align(rows.astype(np.float16).view(np.uint16), config.unit.guard_bits)
            rates.append(_engine_rate(aligned, own, config))
            energies.append(_beat_pj(bench, aligned, own, config))
        found[mode] = {
            "line_pj": np.round(fit_line(rates, energies), 4).tolist(),
            "rates": np.round(rates, 4).tolist(),
        }
        if mode == "rotates":
            found["gaussian_pj"] = np.round(energies[0], 4).tolist()
    return found


def _engine_rate(aligned: NDArray[np.int32], signs: NDArray[np.int8] | None, config: ArrayConfig) -> float:
    negated = aligned if signs is None else aligned * signs.astype(np.int32)
    toggles, bits = engine_toggles(negated, signs is not None, config.unit)
    return toggles / bits


def _beat_pj(
    bench: Bench, aligned: NDArray[np.int32], signs: NDArray[np.int8] | None, config: ArrayConfig
) -> Floats:
    energy: Floats = bench.cycle_fj(engine_run(aligned, signs, config)).mean(axis=0) / 1000
    return energy


class _ModelRun:
    """What one model under one recipe shows while it runs."""

    def __init__(
        self, config: ArrayConfig, table: ElementTable, benches: _Benches, model: str, recipe: str
    ) -> None:
        self._config, self._table, self._benches = config, table, benches
        self._place = {"model": model, "recipe": recipe}
        self._steps: dict[int, None] = {}
        self._found: dict[tuple[str, int], LayerActivity] = {}
        self._static: dict[str, bool] = {}
        self._rows: list[tuple[str, int, NDArray[np.int32], NDArray[np.int8] | None]] = []
        self.replays: list[dict[str, Any]] = []

    def visit(self, name: str, timestep: int, x_bits: NDArray[np.uint16], program: Program) -> None:
        """Count a layer; replay it where that is wanted."""
        self._steps[timestep] = None
        activity = layer_activity(program, self._config, x_bits)
        self._found[name, timestep] = activity
        assert isinstance(program, LayerProgram)
        self._static[name] = program.static is not None
        if len(self._steps) != REPLAYED_STEP + 1 or int(name.split(".")[1]) not in REPLAYED_BLOCKS:
            return
        rows = input_rows(program, self._config.unit, x_bits)
        pairs = layer_pairs(rows.codes, program.weight_codes, self._config, SEED)
        bench, bits = self._benches.element, self._config.unit.acc_bits
        true, told = replay(bench, self._table, pairs, program.act_fmt, program.weight_fmt, bits)
        self.replays.append(
            {
                **self._place, "layer": name, "timestep": timestep,
                "act_fmt": program.act_fmt, "weight_fmt": program.weight_fmt,
                "replay_fj": dict(zip(ENDS, np.round(true, 3).tolist(), strict=True)),
                "error": dict(zip(ENDS, np.round(told / true - 1, 5).tolist(), strict=True)),
            }
        )  # fmt: skip
        if "butterfly" in activity.toggles and self._place["recipe"] in (PLAIN.name, ROTATED.name):
            raw = rows.aligned if program.signs is None else rows.aligned * program.signs.astype(np.int32)
            self._rows.append((name, timestep, raw[:ENGINE_ROWS], program.signs))

    def engine_replays(self, engine: dict[str, Any]) -> list[dict[str, Any]]:
        """How far the engine's lines are off on real rows."""
        found = []
        for name, timestep, aligned, signs in self._rows:
            mode = "passes" if signs is None else "rotates"
            line, rate = np.array(engine[mode]["line_pj"]), _engine_rate(aligned, signs, self._config)
            true = _beat_pj(self._benches.engine, aligned, signs, self._config)
            error = np.round((line[:, 0] + line[:, 1] * rate) / true - 1, 5).tolist()
            found.append(
                {
                    **self._place, "layer": name, "timestep": timestep, "mode": mode,
                    "error": dict(zip(ENDS, error, strict=True)),
                }
            )  # fmt: skip
        return found

    def record(self) -> dict[str, Any]:
        """Rates and energies, by layer and timestep."""
        steps = list(self._steps)
        layers = list(dict.fromkeys(name for name, _ in self._found))

        def grid(value: Callable[[LayerActivity], float]) -> list[list[float]]:
            return [[round(value(self._found[name, step]), 4) for step in steps] for name in layers]

        first = {name: self._found[name, steps[0]] for name in layers}
        names = [n for n in (*ARRAY, *PATH, *SRAM, *DRAM) if any(n in a.toggles for a in first.values())]
        energies = [
            [
                self._table.layer_fj(self._found[name, step]) / _cycles(self._found[name, step])
                for step in steps
            ]
            for name in layers
        ]
        return {
            "timesteps": steps,
            "layers": {
                name: {
                    "m": a.m, "n": a.n, "k": a.k, "act_fmt": a.act_fmt, "weight_fmt": a.weight_fmt,
                    "rotated": a.rotated, "static": self._static[name],
                    "in_engine": "butterfly" in a.toggles,
                }
                for name, a in first.items()
            },
            "rates": {name: grid(lambda a, name=name: a.rate(name)) for name in names},  # type: ignore[misc]
            "element_fj": np.round(np.array(energies), 3).tolist(),
        }  # fmt: skip


def _cycles(activity: LayerActivity) -> int:
    return activity.elements * activity.cycles


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure the committed energies of real data anew.")
    parser.add_argument("liberty", type=Path, help="Liberty file, plain or .gz")
    parser.add_argument("--out", type=Path, help="the JSON file to write; default: the committed one")
    args = parser.parse_args()
    use_threads(1)
    name = load_constants().library(Library.read(args.liberty).name).name
    out = args.out or DATA / f"activity_{name}.json"
    measure_activity(args.liberty, out, lambda text: print(text, file=sys.stderr, flush=True))
    print(out)


if __name__ == "__main__":
    main()
