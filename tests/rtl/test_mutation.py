"""Mutants are judged: killed by the bench, proved equivalent, or shown as a hole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.admissible import admissible
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.mutant_proof import differs_from_reset, is_equivalent
from fpsim.verify.mutants import MODES, SELECT, mutate
from fpsim.verify.mutation import MutantResult, MutationScore, run_mutation
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.units import UNIT_NAMES, unit

pytestmark = pytest.mark.rtl


def test_the_bench_of_decode_kills_every_mutant_that_is_not_equivalent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (score,) = run_mutation(["decode"], count=40, seed=3, results=tmp_path)
    assert len(score.results) == 40
    assert score.score == 1.0
    assert not score.holes
    assert score.counts["killed"] > 30
    assert {result.mode for result in score.results} == set(MODES)
    assert sum("fpsim_decode.sv:" in result.source for result in score.results) > 20
    assert MutationScore.read(tmp_path / "decode.json") == score
    monkeypatch.setattr("fpsim.verify.mutation.mutate", None)  # a second run reads the file
    assert run_mutation(["decode"], count=40, seed=3, results=tmp_path) == [score]


def test_the_solver_tells_a_difference_from_none(tmp_path: Path) -> None:
    mutated = mutate(unit("skid", FAULT_CONFIG), 3, 1, default_rtl_folder(), tmp_path)
    assert [mutant.number for mutant in mutated.mutants] == sorted(m.number for m in mutated.mutants)
    assert SELECT in mutated.buildable.signals
    number = mutated.mutants[0].number
    assert is_equivalent(mutated, 0)
    assert not is_equivalent(mutated, number)
    assert differs_from_reset(mutated, number)


def test_a_score_leaves_the_equivalent_ones_out() -> None:
    one = MutantResult(1, "inv", "cell.Y[0]", "fpsim_x.sv:1", "killed")
    score = MutationScore(
        "x", "key", 1, (one, replace(one, status="equivalent"), replace(one, status="survived"))
    )
    assert score.score == 0.5
    assert [hole.status for hole in score.holes] == ["survived"]
    assert MutationScore("x", "key", 1).score == 1.0


@pytest.mark.parametrize("count", [0, 40_000])
def test_a_number_of_mutants_that_cannot_be_chosen_is_refused(count: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"count={count}: expected an integer from 1 to 32767"):
        mutate(unit("decode", FAULT_CONFIG), count, 1, default_rtl_folder(), tmp_path)


@pytest.mark.parametrize("name", UNIT_NAMES)
def test_what_is_admissible_names_only_input_ports(name: str) -> None:
    two = ArrayConfig(2, 2, UnitConfig(("e2m1", "int4"), hadamard_n=4))
    described = unit(name, two)
    text = admissible(described)
    words = {word for word in text.replace("(", " ").replace("[", " ").split() if word.endswith("_i")}
    assert words <= {port.signal for port in described.inputs} | {"{a_neg_i,", "{b_neg_i,"}
