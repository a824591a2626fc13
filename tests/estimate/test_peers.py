"""Our side held to what other estimators said; none of them is needed to run this."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.constants import load_constants
from fpsim.estimate.dataflow import Product, cycles, machine_cycles, machine_offset, scale_sim_cycles
from fpsim.estimate.peer_scalesim import DATAFLOWS, SHAPES
from fpsim.estimate.peer_scalesim import VERSION as SCALESIM
from fpsim.estimate.peer_zigzag import VERSION as ZIGZAG
from fpsim.estimate.peers import load_peers, refresh
from fpsim.estimate.peers_table import markdown, peers_table
from fpsim.estimate.traffic import traffic

RECORD = load_peers()
RUNS: list[dict[str, Any]] = RECORD["scalesim"]["runs"]


def _name(run: dict[str, Any]) -> str:
    return "{dataflow}-{m}x{n}x{k}".format(**run)


def test_the_file_says_what_was_run_and_when() -> None:
    assert RECORD["scalesim"]["versions"]["scalesim"] == SCALESIM
    assert RECORD["zigzag"]["versions"]["zigzag-dse"] == ZIGZAG
    assert all(RECORD[peer]["date"] >= "2026-" for peer in ("scalesim", "zigzag", "cacti"))
    cases = {(run["dataflow"], (run["m"], run["n"], run["k"]), run["rows"], run["cols"]) for run in RUNS}
    assert cases == {(flow, *shape) for flow in DATAFLOWS for shape in SHAPES}
    assert len(RUNS) == 12


# What SCALE-Sim v3 printed when others ran it (the three large ones), and its formula elsewhere.
PUBLISHED = {
    "os-256x1152x1152": 349_631, "ws-256x1152x1152": 453_599, "is-256x1152x1152": 358_847,
    "os-40x50x37": 1179, "ws-40x50x37": 1399, "is-40x50x37": 1199,
    "os-16x24x64": 343, "ws-16x24x64": 735, "is-16x24x64": 431,
    "os-7x9x100": 121, "ws-7x9x100": 480, "is-7x9x100": 506,
}  # fmt: skip


@pytest.mark.parametrize("run", RUNS, ids=_name)
def test_scale_sims_cycles_are_the_closed_forms(run: dict[str, Any]) -> None:
    product, shape = Product(run["m"], run["n"], run["k"]), (run["rows"], run["cols"])
    assert run["cycles"] == PUBLISHED[_name(run)]
    assert scale_sim_cycles(run["dataflow"], product, *shape) == run["cycles"]
    assert cycles(run["dataflow"], product, *shape) == run["cycles"] + 1
    useful = product.macs / run["cycles"] / (shape[0] * shape[1])  # of one cycle too few
    assert run["utilization_percent"] == pytest.approx(100 * useful, abs=1e-4)


@pytest.mark.parametrize("run", RUNS, ids=_name)
def test_scale_sims_words_are_ours(run: dict[str, Any]) -> None:
    product, shape = Product(run["m"], run["n"], run["k"]), (run["rows"], run["cols"])
    words = traffic(run["dataflow"], product, *shape)
    assert run["sram_activation_read_words"] == words.activation.sram_read
    assert run["sram_weight_read_words"] == words.weight.sram_read
    slots = 0  # R + C empty ones per tile, which it counts as writes
    if run["dataflow"] == "os":
        tiles = -(-product.m // shape[0]) * -(-product.n // shape[1])
        slots = tiles * sum(shape)
    assert run["sram_output_written_words"] == words.output.sram_written + slots


@pytest.mark.parametrize("run", [run for run in RUNS if run["dataflow"] == "os"], ids=_name)
@pytest.mark.parametrize("overlap", [True, False])
def test_our_array_differs_by_the_stated_offset(run: dict[str, Any], overlap: bool) -> None:
    product = Product(run["m"], run["n"], run["k"])
    config = ArrayConfig(run["rows"], run["cols"], UnitConfig(overlap=overlap))
    offset = machine_offset(product, config)
    assert machine_cycles(product, config) == run["cycles"] + 1 + offset
    tiles = -(-product.m // config.rows) * -(-product.n // config.cols)
    if not overlap:
        assert offset == 2 * tiles  # an operand and an output register
    elif product.k > config.rows + config.cols:  # one fill and drain, R + C - 2, instead of one per tile
        assert offset == 3 - (tiles - 1) * (config.rows + config.cols - 2)


@pytest.mark.parametrize(
    "run", RECORD["zigzag"]["runs"], ids=lambda run: f"{run['dataflow']}-{run['operand_bits']}"
)
def test_zigzags_cycles_are_ours_and_its_memories(run: dict[str, Any]) -> None:
    product = Product(run["m"], run["n"], run["k"])
    drain = run["rows"] + run["cols"] - 2
    parts = ("ideal", "loading", "stall", "rounding", "unloading")
    assert run["cycles"] == sum(run[f"{part}_cycles"] for part in parts) + drain
    assert run["ideal_cycles"] + drain == cycles("os", product, run["rows"], run["cols"], overlap=True)
    # Activations come through 64 bits a cycle before anything starts; energy of a product knows no width.
    assert run["loading_cycles"] == product.m * product.k * run["operand_bits"] / 64
    assert run["mac_energy_pj"] == pytest.approx(product.macs * 0.04)


def test_cacti_gives_the_figures_of_the_constants_again() -> None:
    constants, hp = load_constants(), [b for b in RECORD["cacti"]["banks"] if b["device"] == "itrs-hp"]
    assert {(b["size_bytes"], b["node_nm"]) for b in hp} == {
        (bank.size_bytes, bank.access.node_nm) for bank in constants.banks
    }
    for found in RECORD["cacti"]["banks"]:
        band = constants.bank(found["size_bytes"], found["node_nm"]).access.value
        if found["device"] == "itrs-hp":
            assert band.mid == float(f"{found['read_pj']:.3g}")
            assert 0.85 < found["write_pj"] / band.mid < 1.81
        assert band.low <= found["read_pj"] <= band.high  # of all three device types
        assert 0.44 < found["write_pj"] / band.mid < 2.33


def test_the_table_explains_every_line() -> None:
    rows = peers_table(RECORD)
    assert {row.peer.split()[0] for row in rows} == {"scalesim", "zigzag-dse", "hwcomponents", "cacti"}
    assert len(rows) == 12 * 4 + 4 * 2 + 2 + 12
    for row in rows:
        assert row.theirs > 0
        assert row.why
        if row.peer.startswith("scalesim"):
            assert row.alike == row.theirs
        if row.why == "none":
            assert row.ours == row.theirs
    (loaded,) = (row for row in rows if row.what.startswith("ws 256") and row.what.endswith("4 bits"))
    assert loaded.alike == loaded.theirs - 2  # for its last results
    text = markdown(rows)
    assert len(text.splitlines()) == len(rows) + 2
    assert "349,631" in text


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    path.write_text('{"schema_version": 7}')
    with pytest.raises(ValueError, match="schema version 7, expected 1"):
        load_peers(path)
    path.write_text("[")
    with pytest.raises(ValueError, match="no file of peers"):
        load_peers(path)


def test_a_peer_that_is_not_there_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    with pytest.raises(RuntimeError, match="no scalesim there"):
        refresh(Path(sys.executable), None, path)
    with pytest.raises(RuntimeError, match="zigzag failed"):
        refresh(None, Path(sys.executable), path)
    assert not path.exists()
