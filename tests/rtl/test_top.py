"""The whole accelerator behind its buses: the law's bits, the formula's cycles, every fault noticed."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.layer import Machine
from fpsim.array.program import LayerProgram
from fpsim.array.top import Setup
from fpsim.array.top_cycles import top_cycles
from fpsim.dit.checkpoint import load_noise
from fpsim.dit.threads import use_threads
from fpsim.dit.workload import load_model
from fpsim.quant.capture import capture_rows
from fpsim.quant.recipes import quantize_model
from fpsim.verify.fault import Fault
from fpsim.verify.faults import catch
from fpsim.verify.faults_top import TOP_FAULTS
from fpsim.verify.job import Job
from fpsim.verify.rtl_files import default_rtl_folder, sources
from fpsim.verify.runner import simulate
from fpsim.verify.top_layers_file import LAYERS_VARIABLE, LayerRun, write_layers
from fpsim.verify.top_unit import top_config
from fpsim.verify.yosys import run_yosys

pytestmark = pytest.mark.rtl

SMALL = ArrayConfig(4, 4, UnitConfig(hadamard_n=8))
# More columns than rows, one row, a format left out, no overlap, narrow words, pipeline cuts.
ODD = ArrayConfig(
    1,
    3,
    UnitConfig(
        ("e2m1", "int4"),
        acc_bits=12,
        guard_bits=0,
        hadamard_n=4,
        overlap=False,
        product_cut=True,
        hadamard_cut=2,
    ),
)
BLOCK_LAYERS = tuple(f"blocks.2.{name}" for name in ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2"))
TIMESTEP = 473


def cycles_by_formula(config: ArrayConfig, name: str) -> int:
    """Cycles of "m=4 n=4 k=8 a_fmt=5 ...": the registers of the layer."""
    registers = {field: int(value) for field, value in (word.split("=") for word in name.split())}
    return top_cycles(top_config(config), Setup(**registers))  # type: ignore[arg-type]


@pytest.mark.parametrize("config", [SMALL, ODD], ids=["small", "odd"])
def test_layers_resets_and_errors_are_the_laws(config: ArrayConfig) -> None:
    run = simulate(Job("top", config))
    assert run.vectors["exhaustive"] > 500
    assert run.vectors["random"] > 500
    assert len(run.measured) >= 5
    for name, cycles in run.measured.items():
        assert cycles == cycles_by_formula(config, name), name


def test_four_valued_logic_gives_the_same_results_and_no_x() -> None:
    config = ArrayConfig(2, 3, UnitConfig(hadamard_n=4))
    run = simulate(Job("top", config, quick=True), simulator="icarus")
    assert run.vectors["random"] > 200
    assert run.measured
    for name, cycles in run.measured.items():
        assert cycles == cycles_by_formula(config, name), name


def test_yosys_makes_gates_of_it(tmp_path: Path) -> None:
    files = sources("fpsim_top", default_rtl_folder())
    sizes = {"Rows": 1, "Cols": 1, "HadamardN": 2, "KMax": 32, "Formats": 1}
    parameters = " ".join(f"-chparam {name} {value}" for name, value in sizes.items())
    script = [
        "read_verilog -sv " + " ".join(file.name for file in files),
        f"hierarchy -check -top fpsim_top {parameters}",
        "synth -noabc -top fpsim_top",
        "check -assert",  # no loop, no net with two drivers or with none
        "select -assert-none t:$_DLATCH_* t:$mem*",
        "stat",
    ]
    log = run_yosys(script, files, tmp_path, timeout_s=300).log
    # Memories are registers here: a row of 16 beats of 2 · 16 bits, rotated 2 · 17, codes 2 · 4, 32 signs.
    assert sum(map(int, re.findall(r"(\d+) +\$_S?DFF", log))) > 16 * (32 + 34 + 8) + 32


def run_on_the_top(config: ArrayConfig, layers: list[LayerRun], file: Path) -> None:
    """Every bit of the layers out of the RTL, every cycle by the formula."""
    write_layers(file, layers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(LAYERS_VARIABLE, str(file))
        run = simulate(Job("top", config, kinds=("random",)), bench="fpsim.verify.benches.top_block_tests")
    assert sum(layer.y.size for layer in layers) <= run.vectors["random"]
    for layer in layers:
        setup = Setup.of(layer.program, len(layer.x), top_config(config))
        assert run.measured[layer.program.name] == top_cycles(top_config(config), setup)


def digits_layers(recipe: str, names: Collection[str], config: ArrayConfig) -> list[LayerRun]:
    """Layers of the digits model by a recipe, on the rows that a sampling run feeds them."""
    use_threads(1)
    quantized = quantize_model(load_model("digits"), recipe, config)
    start = load_noise(1)
    rows = capture_rows(quantized, config, {(n, TIMESTEP) for n in names}, start.noise, start.labels)
    everything = quantized.phase_at(TIMESTEP).programs
    programs = [p for p in everything if isinstance(p, LayerProgram) and p.name in names]
    assert len(programs) == len(names)
    machine = Machine(config, programs)
    return [
        LayerRun(p, x, machine.run(p.name, x)) for p in programs for x in [np.array(rows[p.name, TIMESTEP])]
    ]


def test_a_block_of_the_digits_model_comes_out_bit_for_bit(tmp_path: Path) -> None:
    run_on_the_top(SMALL, digits_layers("rotated-w4a4", BLOCK_LAYERS, SMALL), tmp_path / "layers.npz")


# Static zero points; rows' own, weights' too, rotated in blocks of 12 beats and of 4 times 12.
@pytest.mark.parametrize(
    ("recipe", "layer"),
    [("htg-w8a8", "attn.proj"), ("vidit-q-w8a8", "attn.proj"), ("vidit-q-w4a8", "mlp.fc2")],
)
def test_a_layer_of_8_bits_comes_out_bit_for_bit(recipe: str, layer: str, tmp_path: Path) -> None:
    layers = digits_layers(recipe, [f"blocks.2.{layer}"], SMALL)
    run_on_the_top(SMALL, layers, tmp_path / "layers.npz")


@pytest.mark.parametrize("fault", TOP_FAULTS, ids=[fault.name for fault in TOP_FAULTS])
def test_a_fault_of_the_top_is_noticed(fault: Fault) -> None:
    message = catch(fault, seed=3, simulator="icarus")  # which builds in no time
    assert message.startswith("fpsim_top: ")
    assert re.search(r"^  vectors +(exhaustive|random), seed 3, cycle \d+$", message, re.MULTILINE)
