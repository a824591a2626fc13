"""The whole chain on the small library: synthesis, reference, simulation, file. And its refusals."""

import importlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fpsim.array.config import ArrayConfig
from fpsim.estimate import characterize as package_characterize
from fpsim.estimate.constants import Constants, LibraryFacts
from fpsim.estimate.drive import Unit
from fpsim.estimate.liberty import Library
from fpsim.estimate.stimulus import Run, from_file, gaussian, with_uniform_codes
from fpsim.estimate.synth import Synthesizer, source_files
from fpsim.estimate.unfinished import Unfinished
from fpsim.estimate.units import units

TINY = Path(__file__).with_name("tiny.lib")
RTL = Path(__file__).parents[2] / "rtl"
MODULE = importlib.import_module("fpsim.estimate.characterize")  # the package's name is the function's


def some_units(config: ArrayConfig) -> list[Unit]:
    return [unit for unit in units(config) if unit.name in ("decode", "mac")]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two units, and the small library is a known one."""
    facts = LibraryFacts("tiny", "^tiny$", 100.0, "by hand", ("BIG",), "tests/estimate/tiny.lib")
    monkeypatch.setattr(MODULE, "units", some_units)
    monkeypatch.setattr(MODULE, "load_constants", lambda: Constants({}, (), {"tiny": facts}))


@pytest.mark.rtl
def test_characterize_writes_what_it_measured(small: None, tmp_path: Path) -> None:
    out, steps = tmp_path / "units.json", []
    record = package_characterize(TINY, ArrayConfig(), out, lambda *step: steps.append(step))
    assert json.loads(out.read_text()) == record
    assert list(tmp_path.iterdir()) == [out]
    assert [(done, of) for done, of, _ in steps] == [(done, 5) for done in range(6)]
    assert record["library"]["nand2"] == {"cell": "NAND2", "area_um2": 2.0}
    decode, mac = record["units"]["decode"], record["units"]["mac"]
    assert decode["ge"] == pytest.approx(decode["area_um2"] / 2.0, abs=0.051)
    assert decode["sequential_um2"] == 0
    assert mac["sequential_um2"] == 26 * 8.0  # one cleared flip-flop per accumulator bit
    assert set(mac["operations"]["mac"]["energy_pj"]) == {
        f"{data}/{fmt}" for data in ("gaussian", "uniform") for fmt in ("e2m1", "e3m0", "e1m2", "int4")
    }
    for unit in (decode, mac):
        for operation in unit["operations"].values():
            for ends in operation["energy_pj"].values():
                assert 0 < ends["low"] < ends["mid"] <= ends["high"]
        path = unit["longest_path_ps"]
        assert 0 < path["low"] < path["mid"] == max(unit["paths_ps"]["mid"].values())
        assert unit["longest_path_gates"] > 1
    assert set(decode["paths_ps"]["low"]) == {"input_to_output"}
    assert set(mac["paths_ps"]["low"]) == {"register_to_register", "input_to_register", "register_to_output"}
    # Without data only the clock moves: two edges on 26 pins of 2 fF at 2 V, tables of 0; and as much wire.
    idle = mac["operations"]["idle"]["energy_pj"]["gaussian/e2m1"]
    assert idle["low"] == pytest.approx(26 * 2 * 4 / 1000)
    assert idle["mid"] == idle["high"] == pytest.approx(2 * 26 * 2 * 4 / 1000)


@pytest.mark.rtl
def test_a_netlist_that_computes_wrong_is_not_costed(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Library, name: str) -> object:
        cell = original(self, name)
        if name != "XOR2":
            return cell
        wrong = replace(cell.pins["Y"], function="!(A ^ B)")
        return replace(cell, pins={**cell.pins, "Y": wrong})

    original = Library.cell
    monkeypatch.setattr(Library, "cell", broken)
    out = tmp_path / "units.json"
    with pytest.raises(RuntimeError, match=r"does not compute what the RTL does: .* in cycle \d+: \w+_o"):
        package_characterize(TINY, ArrayConfig(), out)
    assert not list(tmp_path.glob("*.json"))
    assert not list(tmp_path.glob(".*/*.unit.json"))


@pytest.mark.rtl
def test_an_interrupted_run_goes_on_where_it_was(
    small: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "units.json"

    def interrupted(done: int, of: int, what: str) -> None:
        if what == "tiny: measure mac":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        package_characterize(TINY, ArrayConfig(), out, interrupted)
    (kept,) = tmp_path.iterdir()
    assert kept.name.startswith(".units.json.")
    assert len(list(kept.glob("*.unit.json"))) == 1
    monkeypatch.setattr(Synthesizer, "_yosys", None)  # nothing is left to synthesize
    steps: list[tuple[int, int, str]] = []
    record = package_characterize(TINY, ArrayConfig(), out, lambda *step: steps.append(step))
    assert list(record["units"]) == ["decode", "mac"]
    assert [what for _, _, what in steps] == [
        "tiny: synthesize mac", "tiny: build the reference", "tiny: measure mac", "tiny: done",
    ]  # fmt: skip
    assert steps[-1][:2] == (5, 5)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.rtl
def test_a_layers_own_operands_are_one_more_stimulus(small: None, tmp_path: Path) -> None:
    """Rows of zeros but for one channel: most products are 0, and the accumulator moves little."""
    random = np.random.default_rng(3)
    sparse = random.standard_normal((64, 128)) * (np.arange(128) == 5)
    np.savez(tmp_path / "layer.npz", x=sparse, w=random.standard_normal((64, 128)))
    record = package_characterize(
        TINY, ArrayConfig(), tmp_path / "units.json", operands=tmp_path / "layer.npz"
    )
    energies = record["units"]["mac"]["operations"]["mac"]["energy_pj"]
    assert {key.split("/")[0] for key in energies} == {"gaussian", "uniform", "file"}
    assert energies["file/int4"]["low"] < energies["gaussian/int4"]["low"]


def test_what_was_made_of_something_else_is_not_taken_over(tmp_path: Path) -> None:
    out, operands = tmp_path / "units.json", tmp_path / "operands.npz"
    header = {"rtl_sha256": "a", "date": "2026-01-01"}
    first = Unfinished.beside(out, header, None)
    first.keep("mac", {"ge": 1.0})
    assert Unfinished.beside(out, {**header, "date": "2026-02-02"}, None).entry("mac") == {"ge": 1.0}
    assert Unfinished.beside(out, header, None).entry("mul") == {}
    operands.write_bytes(b"1")
    for other in (
        Unfinished.beside(out, {**header, "rtl_sha256": "b"}, None),
        Unfinished.beside(out, header, operands),
    ):
        assert other.entry("mac") == {}
        assert not first.folder.exists()
    other.remove()
    assert list(tmp_path.iterdir()) == [operands]


@pytest.mark.rtl
def test_a_failing_synthesis_shows_its_log(tmp_path: Path) -> None:
    sources = source_files(RTL, ["fpsim_decode"])
    synthesizer = Synthesizer(Library.read(TINY), TINY.read_text(), sources, tmp_path)
    with pytest.raises(RuntimeError, match="yosys failed on fpsim_nothing"):
        synthesizer.run("fpsim_nothing", {})


def test_a_missing_yosys_says_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"yosys is not installed; type: .*pip install"):
        Synthesizer(Library.read(TINY), "", [], tmp_path)


def test_sources_are_found_by_name() -> None:
    names = [path.name for path in source_files(RTL, ["fpsim_mac"])]
    assert names == ["fpsim_pkg.sv", "fpsim_mac.sv", "fpsim_mul.sv"]
    with pytest.raises(ValueError, match=r"fpsim_nothing\.sv: no such file"):
        source_files(RTL, ["fpsim_nothing"])


def test_columns_become_bits_lane_by_lane() -> None:
    run = Run({"x_i": np.array([[1, 2], [3, -1]]), "en_i": np.array([0, 1])}, {})
    bits = run.bits({"en_i": 1, "x_i": 4, "other_i": 1})
    assert bits.tolist() == [[0, 1, 0, 0, 1, 0], [1, 1, 1, 1, 1, 0]]
    with pytest.raises(ValueError, match="columns"):
        run.bits({"x_i": 4})


def test_every_unit_counts_what_its_run_holds() -> None:
    config = ArrayConfig()
    data = gaussian(config, "e2m1")
    for unit in units(config):
        runs = unit.drive(with_uniform_codes(data) if unit.takes_codes else data, unit.config)
        assert len(runs) == len(unit.operations)  # as many runs as unknowns
        for run in runs:
            assert set(run.counts) <= set(unit.operations)
            counted = run.cycles - run.skip
            # Tiles are their beats, and R + C + 1 cycles after the last. One operation is one cycle, or the
            # ten that the dividers take.
            drain = unit.config.rows + unit.config.cols + 1 if "drain" in run.counts else 0
            slow = unit.name in ("zero_point", "wide_quantizer") and "idle" not in run.counts
            operations = sum(n for name, n in run.counts.items() if name != "drain")
            assert counted == operations * (10 if slow else 1) + drain


def test_operands_from_a_file(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    path = tmp_path / "layer.npz"
    np.savez(path, x=random.standard_normal((8, 64)), w=random.standard_normal((4, 64)))
    data = from_file(path, ArrayConfig(), "e2m1")
    assert (data.a_codes.shape, data.b_codes.shape, data.acc.shape) == ((8, 64), (4, 64), (8, 4))
    np.savez(path, x=np.zeros((8, 33)), w=np.zeros((4, 33)))
    with pytest.raises(ValueError, match=r"layer\.npz: x \(8, 33\)"):
        from_file(path, ArrayConfig(), "e2m1")
    np.savez(path, x=np.zeros((8, 32)))
    with pytest.raises(ValueError, match="expected x"):
        from_file(path, ArrayConfig(), "e2m1")
