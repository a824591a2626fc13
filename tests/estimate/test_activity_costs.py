"""The table of transitions: what it says of made-up energies, of the committed ones, and of a live replay."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fpsim.arith import toggles as law
from fpsim.arith.mac_array import mac_array
from fpsim.array.config import OPERAND_FORMATS, ArrayConfig, UnitConfig
from fpsim.array.layer import Machine
from fpsim.array.protocol import Program
from fpsim.dit.model import DiT
from fpsim.dit.workload import load_model, sample_noise
from fpsim.estimate import digits, estimate, find_units, rtl_hash
from fpsim.estimate import measure_activity as command
from fpsim.estimate.activity import model_activity, watch_layers
from fpsim.estimate.activity_energy import energy_by_layer, measured_model, with_activity
from fpsim.estimate.activity_replay import (
    CYCLES,
    ELEMENT,
    ENGINE,
    LANES,
    Bench,
    build_reference,
    device,
    element_parameters,
    element_run,
    layer_pairs,
    training_pairs,
)
from fpsim.estimate.activity_table import (
    ENDS,
    ElementTable,
    fit_table,
    load_activity_costs,
    read_activity_costs,
)
from fpsim.estimate.characterize import RTL
from fpsim.estimate.energy import dynamic_energy
from fpsim.estimate.liberty import Library
from fpsim.estimate.simulate import simulate
from fpsim.estimate.synth import Synthesizer, source_files
from fpsim.kernels.toggles_element import NAMES, element_trace
from fpsim.quant.calibration import Calibration
from fpsim.quant.recipes import calibrate, get_recipe

TINY = Path(__file__).with_name("tiny.lib")
CONFIG = ArrayConfig()
COSTS = load_activity_costs()
RECORD = COSTS.record


@cache
def digits_model() -> tuple[DiT, Calibration]:
    """The trained model and its calibration."""
    trained = load_model("digits")
    return trained, calibrate(trained)


def made_up_table() -> ElementTable:
    random = np.random.default_rng(8)
    sides = [{fmt: random.random((3, 16, 16)) * 20 for fmt in OPERAND_FORMATS} for _ in range(2)]
    return ElementTable(sides[0], sides[1], random.random((3, 6)) * 5)


def test_energies_that_follow_a_table_are_found_again() -> None:
    table, traces = made_up_table(), []
    for a_fmt in OPERAND_FORMATS[:2]:
        for b_fmt in OPERAND_FORMATS[2:]:
            for seed in range(2):
                pairs = training_pairs(a_fmt, b_fmt, seed)
                traces.append((element_run(pairs, a_fmt, b_fmt, 26)[1], a_fmt, b_fmt))
    energies = [table.trace_fj(*given) for given in traces]
    found = fit_table(traces[:-1], energies[:-1], ridge=1e-9)
    assert found.trace_fj(*traces[-1]) == pytest.approx(energies[-1], rel=1e-2)
    again = ElementTable.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.trace_fj(*traces[-1]) == pytest.approx(found.trace_fj(*traces[-1]), abs=0.2)
    with pytest.raises(ValueError, match=r"expected \(3, 16, 16\) and \(3, 6\)"):
        ElementTable.from_dict({**found.to_dict(), "terms_fj": [[1.0]]})


def test_a_trace_is_what_the_law_of_one_element_says() -> None:
    """Behind the last tile one of zeros, so that all is still at the end of the trace."""
    random = np.random.default_rng(4)
    pairs = [(random.integers(0, 16, 9), random.integers(0, 16, 9)) for _ in range(5)]
    pairs.append((np.zeros(9, np.int64), np.zeros(9, np.int64)))
    _, trace = element_run(pairs, "e2m1", "e3m0", 20)
    tiles = [([a.tolist()], [b.tolist()]) for a, b in pairs]
    by_law = law.array_toggles(tiles, "e2m1", "e3m0", acc_bits=20)
    sums = dict(zip(NAMES, trace.counts.sum(axis=0).tolist(), strict=True))
    assert (sums["product"], sums["carry"]) == (by_law["product"], by_law["carry"])
    assert sums["acc"] == 2 * by_law["acc"]  # once at the register's input, once at its output
    # The last result is still to come, and would be followed by the sum of the zeros.
    result = mac_array([pairs[-2][0].tolist()], [pairs[-2][1].tolist()], "e2m1", "e3m0", 20)[0][0]
    assert sums["out"] + (result & ((1 << 20) - 1)).bit_count() == by_law["out"]
    assert len(trace.counts) == 6 * 9


def test_traces_follow_the_array() -> None:
    """An element keeps its row and takes the channel C further in the next tile."""
    a, b = np.arange(6, dtype=np.uint8).reshape(2, 3), np.arange(12, dtype=np.uint8).reshape(4, 3)
    pairs = layer_pairs(a, b, ArrayConfig(1, 3), 0)
    assert sum(len(x) for x, _ in pairs) == LANES * CYCLES
    first = pairs[: -(-CYCLES // 3)]
    assert len({x[0] for x, _ in first}) == 1
    assert [int(y[0]) // 3 for _, y in first[:4]] == [
        (int(first[0][1][0]) // 3 + 3 * i) % 4 for i in range(4)
    ]


def test_the_committed_file_belongs_to_this_rtl() -> None:
    assert RECORD["rtl_sha256"] == rtl_hash(RTL, [ELEMENT, ENGINE]), (
        "measured on other RTL; type: python -m fpsim.estimate.measure_activity LIBERTY"
    )
    assert set(RECORD["tools"]) == {"yosys", "verilator"}
    COSTS.check(CONFIG.unit)
    with pytest.raises(ValueError, match="activity is costed for"):
        COSTS.check(UnitConfig(acc_bits=30))


def test_the_table_holds_on_real_layers_that_it_was_not_fitted_to() -> None:
    models = RECORD["models"]
    replays = RECORD["held_out"]
    layers = sum(
        name.split(".")[1] in ("0", "3") for m in models.values() for r in m.values() for name in r["layers"]
    )
    assert len(replays) == layers > 20
    worst = {end: max(abs(replay["error"][end]) for replay in replays) for end in ENDS}
    assert worst["low"] < 0.03
    assert worst["mid"] < 0.03
    assert worst["high"] < 0.15
    engine = [abs(found["error"][end]) for found in RECORD["hadamard"]["held_out"] for end in ENDS]
    assert max(engine) < 0.06
    assert len(engine) > 100


@pytest.mark.parametrize("fmt", OPERAND_FORMATS)
@pytest.mark.parametrize("data", ["gaussian", "uniform"])
def test_the_element_is_most_of_an_array(fmt: str, data: str) -> None:
    """Against whole arrays, mapped apart: these carry edges, the element does not, and mappings differ."""
    array = find_units("asap7", CONFIG.unit).array_energy(CONFIG, 1, 0, data, fmt)
    for end, element in zip(ENDS, RECORD[f"{data}_fj"][fmt], strict=True):
        assert 0.85 < element * CONFIG.rows * CONFIG.cols / 1000 / getattr(array, end) < 1.06


def test_the_committed_counts_come_out_again() -> None:
    """Rates up to a change of a code here and there: attention's float32 is not the same on every machine."""
    stored, sampling = measured_model(COSTS, "digits", command.PLAIN.name), RECORD["sampling"]
    quantized = command.PLAIN.quantize(*digits_model(), CONFIG)
    start = sample_noise("digits", sampling["images"], sampling["seed"])
    found = model_activity(quantized, CONFIG, start.noise, start.labels, steps=sampling["steps"])
    assert [*dict.fromkeys(name for name, _ in found)] == stored.layers
    assert [*dict.fromkeys(step for _, step in found)] == stored.timesteps
    for name in stored.quantities:
        rates = [[found[layer, step].rate(name) for step in stored.timesteps] for layer in stored.layers]
        assert np.array(rates) == pytest.approx(stored.rate(name), abs=0.02)
    energies = [
        [COSTS.element_fj(found[layer, step]) for step in stored.timesteps] for layer in stored.layers
    ]
    assert np.array(energies) == pytest.approx(stored.element_fj, rel=0.01)
    layer, step = stored.layers[0], stored.timesteps[0]
    live, filed = COSTS.factors(found[layer, step]), stored.factors(layer, step)
    assert set(live) == set(filed) == {"array", "hadamard"}
    for part, ends in live.items():
        assert ends == pytest.approx(filed[part], rel=0.02)


def test_the_counted_rows_are_those_that_the_machine_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Channel factors that the host multiplies in are in them."""
    taken: list[tuple[str, np.ndarray]] = []

    def run(self: Machine, name: str, x: np.ndarray) -> np.ndarray:
        taken.append((name, x.copy()))
        return original(self, name, x)

    original = Machine.run
    monkeypatch.setattr(Machine, "run", run)
    quantized = get_recipe("smoothquant-w4a4").quantize(*digits_model(), CONFIG)
    assert quantized.phases[0].input_scale
    start, seen = sample_noise("digits", 2, 1), []

    def visit(name: str, timestep: int, x_bits: np.ndarray, program: Program) -> None:
        assert program.name == name
        seen.append((name, timestep, x_bits.copy()))

    watch_layers(quantized, CONFIG, start.noise, start.labels, visit, steps=3)
    assert [(name, x.tobytes()) for name, x in taken] == [(name, x.tobytes()) for name, _, x in seen]
    assert list(dict.fromkeys(step for _, step, _ in seen)) == [999, 500, 0]
    assert len(seen) == 3 * 24


def test_energy_follows_the_data() -> None:
    units = find_units("asap7", CONFIG.unit)
    stored = measured_model(COSTS, "digits", "naive-w4a4")
    costs = energy_by_layer(stored, CONFIG, units)
    assert len(costs) == len(stored.layers) * len(stored.timesteps)
    plain = {c.layer.name: c for c in estimate([stored.shape(n) for n in stored.layers], CONFIG, units)}
    for (name, step), cost in costs.items():
        factors = stored.factors(name, step)
        for part, band in cost.parts_pj.items():
            expected = plain[name].parts_pj[part].mid * factors.get(part, (1, 1, 1))[1]
            assert band.mid == pytest.approx(expected)
            assert band.low <= band.mid <= band.high
    # naive static scales leave most codes at zero
    assert sum(c.parts_pj["array"].mid for c in costs.values()) < 0.95 * len(stored.timesteps) * sum(
        c.parts_pj["array"].mid for c in plain.values()
    )


def test_a_shape_is_priced_with_a_models_mean() -> None:
    units, stored = find_units("asap7", CONFIG.unit), measured_model(COSTS, "digits", "rotated-e2m1")
    plain = estimate(digits().layers, CONFIG, units)
    real = with_activity(plain, stored.mean_factors())
    for before, after in zip(plain, real, strict=True):
        assert before.layer == after.layer
        if before.on_host:
            assert after == before
        else:
            assert after.energy_pj.mid == pytest.approx(before.energy_pj.mid, rel=0.1)
            assert after.parts_pj["dram"] == before.parts_pj["dram"]
            assert after.parts_pj["array"] != before.parts_pj["array"]


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"library='none': expected one of .*asap7.*measure_activity LIBERTY"
    ):
        load_activity_costs("none")
    with pytest.raises(ValueError, match="model='none': expected one of digits"):
        measured_model(COSTS, "none", "naive-w4a4")
    with pytest.raises(ValueError, match="recipe='none': expected one of naive-w4a4"):
        measured_model(COSTS, "digits", "none")
    stored = measured_model(COSTS, "digits", "naive-w4a4")
    with pytest.raises(ValueError, match="quantity='none': expected one of a_skew"):
        stored.rate("none")
    with pytest.raises(ValueError, match="timestep=3: expected one of 999"):
        stored.factors(stored.layers[0], 3)
    costs = estimate(digits().layers, CONFIG, find_units("asap7", CONFIG.unit))
    with pytest.raises(ValueError, match="activity: none: expected names of the estimate's layers"):
        with_activity(costs, {"none": {}})
    with pytest.raises(ValueError, match=r"activity: attn.qkv: none: expected parts out of array"):
        with_activity(costs, {"attn.qkv": {"none": (1.0, 1.0, 1.0)}})
    damaged = copy.deepcopy({**RECORD, "schema_version": 9})
    for text in ("", "{}", json.dumps(damaged)):
        (tmp_path / "costs.json").write_text(text)
        with pytest.raises(ValueError, match="no file of activity costs"):
            read_activity_costs(tmp_path / "costs.json")
    with pytest.raises(ValueError, match="a_codes"):
        element_trace(np.array([16]), np.array([0]), np.array([0]), "e2m1", "e2m1", 26)


def test_nothing_is_written_by_a_measurement_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no tool")

    class Facts:
        name, source, node_nm, corner, exclude = "tiny", "here", 1.0, "none", ()

    monkeypatch.setattr(
        command, "load_constants", lambda: type("C", (), {"library": lambda self, n: Facts})()
    )
    monkeypatch.setattr(command, "_benches", fail)
    with pytest.raises(RuntimeError, match="no tool"):
        command.measure_activity(TINY, tmp_path / "out.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.rtl
def test_a_replay_on_a_netlist(tmp_path: Path) -> None:
    """Energies of cycles add up to the energy of the run, in both models of delay."""
    library = Library.read(TINY)
    parameters = element_parameters(CONFIG)
    sources = source_files(RTL, [ELEMENT])
    netlist = (
        Synthesizer(library, TINY.read_text(), sources, tmp_path).run(ELEMENT, parameters, ("BIG",)).netlist
    )
    reference = build_reference({ELEMENT: device(ELEMENT, parameters, netlist)}, sources, tmp_path / "ref")
    bench = Bench.of(ELEMENT, netlist, library, reference)
    run, trace = element_run(training_pairs("e2m1", "int4", 1)[:20], "e2m1", "int4", CONFIG.unit.acc_bits)
    found = bench.cycle_fj(run)
    assert found.shape == (len(trace.counts), 3)
    bits = run.bits({name: len(netlist.ports[name]) for name in netlist.inputs})
    for end, (wire, unit_delay) in enumerate([(0.0, False), (1.0, False), (1.0, True)]):
        activity = simulate(netlist, bits, skip=run.skip, unit_delay=unit_delay)
        total = dynamic_energy(netlist, library, activity, wire).total_fj
        assert found[:, end].sum() == pytest.approx(total)
    tables, middle = netlist.gates.tables.copy(), len(netlist.gate_out) // 2
    tables[netlist.gates.table_start[middle] : netlist.gates.table_start[middle + 1]] ^= 1
    broken = replace(netlist, gates=replace(netlist.gates, tables=tables))
    with pytest.raises(RuntimeError, match="the netlist does not compute what the RTL does"):
        replace(bench, netlist=broken).cycle_fj(run)
    with pytest.raises(ValueError, match=r"weights: \(3, 2\), expected \(sets, "):
        simulate(netlist, bits, weights=np.zeros((3, 2)))
