"""Every property is proved for all inputs, and the same proof refutes the RTL with a fault."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify import proof as proof_module
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.netlist_pairs import cut_pair
from fpsim.verify.netlist_proof import prove_netlist
from fpsim.verify.netlist_simulation import simulate_netlist
from fpsim.verify.proof import prove, refute_twin
from fpsim.verify.proofs import PROOF_NAMES, PROOFS, check_proof, proof, run_proofs
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.units import unit
from fpsim.verify.yosys import YosysError

pytestmark = pytest.mark.rtl

QUICK = [known.name for known in PROOFS if not known.heavy]
SMALL = ArrayConfig(2, 2, UnitConfig(acc_bits=12, guard_bits=1, hadamard_n=2))
MODULES = {path.stem for path in default_rtl_folder().glob("*.sv")}


@pytest.mark.parametrize("name", QUICK)
def test_a_property_holds_and_a_fault_breaks_it(name: str) -> None:
    checked = check_proof(name)
    assert checked.result.verdict == "proved", checked.result.counterexample
    assert checked.twin.verdict == "refuted"
    assert checked.passed


def test_names_are_unique_and_modules_exist() -> None:
    assert len(set(PROOF_NAMES)) == len(PROOF_NAMES) > len(QUICK) > 15
    assert {module for known in PROOFS for module in known.modules} <= MODULES
    files = {path.stem for path in proof_module.PROPERTIES.glob("*.sv")}
    assert files == {known.properties for known in PROOFS}


def test_an_unknown_proof_is_refused() -> None:
    with pytest.raises(ValueError, match="proof='adder': expected one of decode, mul"):
        proof("adder")


def test_a_run_takes_what_it_is_told_and_reports_progress() -> None:
    steps = []
    results = run_proofs(
        ["butterfly", "mul-radix4-8x7"], quick=True, progress=lambda *step: steps.append(step)
    )
    assert [checked.proof.name for checked in results] == ["butterfly"]
    assert steps == [("butterfly", 0, 1), ("proofs", 1, 1)]


def test_a_proof_without_an_assertion_is_no_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = "module proof (input a); logic b; assign b = a; endmodule\n"
    (tmp_path / "butterfly.sv").write_text(empty, encoding="utf-8")
    monkeypatch.setattr(proof_module, "PROPERTIES", tmp_path)
    with pytest.raises(YosysError, match="no assertion reached the solver"):
        prove(replace(proof("butterfly"), parameters={}))


def test_a_proof_that_takes_too_long_is_undecided() -> None:
    assert prove(proof("mul"), timeout_s=0.05).verdict == "undecided"


def test_a_bounded_proof_says_how_far_it_went() -> None:
    bounded = replace(proof("delay"), steps=0, bound=5)
    assert (prove(bounded).verdict, prove(bounded).steps) == ("proved", 5)
    assert refute_twin(bounded).verdict == "refuted"
    assert prove(replace(bounded, bound=2)).steps == 2


def test_bitwuzla_is_asked_about_units_without_registers_alone() -> None:
    with pytest.raises(ValueError, match="proof='delay': bitwuzla is asked about units without registers"):
        prove(replace(proof("delay"), solver="bitwuzla"))


def test_a_counterexample_names_the_inputs() -> None:
    wrong = refute_twin(replace(proof("butterfly"), solver="bitwuzla"))
    assert wrong.verdict == "refuted"
    values = dict(line.split(" = ") for line in wrong.counterexample.splitlines())
    assert values.keys() == {"en_i", "a_i", "b_i"}
    assert {len(value) for value in values.values()} == {1, 16}


@pytest.mark.parametrize("name", ["decode", "skid", "quantizer"])
def test_a_netlist_is_its_rtl_and_one_inverted_pin_is_not(name: str) -> None:
    small = unit(name, SMALL)
    right = prove_netlist(small)
    assert right.passed
    assert right.points >= sum(port.width for port in small.outputs)
    assert not prove_netlist(small, fault_seed=1).passed


def test_a_netlist_in_the_bench_gives_the_law_s_results_and_one_with_an_inverted_pin_does_not() -> None:
    job = Job("mul", SMALL, quick=True)
    assert simulate_netlist(job).vectors["exhaustive"] > 0
    with pytest.raises(RtlMismatch, match="fpsim_mul: product_o differs from the law"):
        simulate_netlist(job, fault_seed=1)


def test_a_netlist_with_other_registers_is_not_compared() -> None:
    def module(register: str) -> dict[str, object]:
        cell = {"type": "$_DFF_P_", "connections": {"C": [2], "D": [3], "Q": [4]}}
        ports = {"clk_i": {"direction": "input", "bits": [2]}, "q_o": {"direction": "output", "bits": [4]}}
        nets = {register: {"hide_name": 0, "bits": [4]}}
        return {"modules": {"top": {"cells": {"flop": cell}, "ports": ports, "netnames": nets}}}

    assert cut_pair(module("a_q"), module("a_q"), "top") == 2
    with pytest.raises(ValueError, match=r"netlist: register \('b_q\[0\]',\) is none of the RTL's"):
        cut_pair(module("a_q"), module("b_q"), "top")
