"""Mutants are judged: killed by the bench, proved equivalent, or shown as a hole."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.admissible import admissible
from fpsim.verify.fault import FAULT_CONFIG
from fpsim.verify.mutant_lemmas import Lemma, lemmas
from fpsim.verify.mutant_proof import differs_from_reset, is_equivalent, pair
from fpsim.verify.mutants import MODES, SELECT, mutate
from fpsim.verify.mutation import SCORES, MutantResult, MutationScore, run_mutation, score_key
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.undecided import BY_HAND, UNDECIDED
from fpsim.verify.units import UNIT_NAMES, unit

pytestmark = pytest.mark.rtl

SCORE_FILES = sorted((default_rtl_folder() / SCORES).glob("*.json"))


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
    assert is_equivalent(mutated, 0).startswith("the solver, in a window of 6 gates")
    assert not is_equivalent(mutated, number, deep=False)
    assert differs_from_reset(mutated, number) == 4
    assert not differs_from_reset(mutated, 0)


def test_a_mutant_may_differ_where_nothing_is_offered(tmp_path: Path) -> None:
    mutated = mutate(unit("skid", FAULT_CONFIG), 60, 1, default_rtl_folder(), tmp_path)
    score = MutationScore.read(default_rtl_folder() / SCORES / "skid.json")
    (harmless,) = (result for result in score.results if "over both" in result.by)
    assert not is_equivalent(mutated, harmless.number, deep=False)
    assert is_equivalent(mutated, harmless.number) == harmless.by


def test_no_window_excuses_a_mutant_that_a_bench_killed(tmp_path: Path) -> None:
    mutated = mutate(unit("skid", FAULT_CONFIG), 60, 1, default_rtl_folder(), tmp_path)
    score = MutationScore.read(default_rtl_folder() / SCORES / "skid.json")
    killed = [result.number for result in score.results if result.status == "killed"]
    assert not any(is_equivalent(mutated, number, deep=False) for number in killed[::10])


def test_a_lemma_is_proved_before_it_counts(tmp_path: Path) -> None:
    mutated = mutate(unit("zero_point", FAULT_CONFIG), 40, 1, default_rtl_folder(), tmp_path)
    (lemma,) = lemmas("zero_point")
    score = MutationScore.read(default_rtl_folder() / SCORES / "zero_point.json")
    (number,) = (result.number for result in score.results if "with a lemma" in result.by)
    wrong = (
        replace(lemma, known=("original.left_q <= 4'd5",)),  # it begins with 9
        replace(lemma, alike="mutant.bits_q == original.bits_q"),
        replace(lemma, known=("original.left_q == original.left_q",), alike=""),
    )
    for index, one in enumerate((lemma, *wrong)):
        folder = tmp_path / str(index)
        folder.mkdir()
        assert pair(mutated, number, folder, one).holds(one).startswith("the solver, with") is (one is lemma)
    with pytest.raises(ValueError, match="lemma: no register 'left'"):
        pair(mutated, number, folder, Lemma("", ("original.left == '0",)))


def test_the_scores_beside_the_rtl_are_of_this_rtl_and_have_no_hole_but_the_known_ones() -> None:
    scores = {path.stem: MutationScore.read(path) for path in SCORE_FILES}
    assert set(scores) == set(UNIT_NAMES)
    for name, score in scores.items():
        assert score.unit == name
        assert score.key == score_key(unit(name, FAULT_CONFIG), score.count, score.seed), name
        assert score.counts["killed"] > 0.8 * len(score.results)
        assert len({result.number for result in score.results}) == len(score.results)
    assert sum(len(score.results) for score in scores.values()) >= 1000
    holes = {(name, hole.number) for name, score in scores.items() for hole in score.holes}
    assert holes == set(BY_HAND | UNDECIDED) == set()


def test_a_key_knows_what_the_unit_uses_and_no_comment(tmp_path: Path) -> None:
    for file in default_rtl_folder().glob("*.sv"):
        (tmp_path / file.name).write_text(file.read_text("utf-8"), encoding="utf-8")
    described = unit("mul", FAULT_CONFIG)
    key = score_key(described, 60, 1)

    def changed(name: str, old: str, new: str) -> str:
        file = tmp_path / name
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")
        found = score_key(described, 60, 1, tmp_path)
        file.write_text(text, encoding="utf-8")
        return found

    assert score_key(described, 60, 1, tmp_path) == key != score_key(described, 61, 1)
    assert changed("fpsim_mul.sv", "\n", "\n// A comment.\n\n") == key
    assert changed("fpsim_pkg.sv", "TF32_BIAS = 127", "TF32_BIAS = 126") == key  # not of this unit
    assert changed("fpsim_pkg.sv", "SIG_W = 4", "SIG_W = 5") != key
    assert changed("fpsim_pkg.sv", "formats >> i", "formats << i") != key
    assert changed("fpsim_mul.sv", "endmodule", "wire x; endmodule") != key


def test_a_score_leaves_the_equivalent_ones_out() -> None:
    one = MutantResult(1, "inv", "cell.Y[0]", "fpsim_x.sv:1", "killed")
    three = (one, replace(one, status="equivalent"), replace(one, status="survived"))
    score = MutationScore("x", "key", 3, 1, ("tool",), three)
    assert score.score == 0.5
    assert [hole.status for hole in score.holes] == ["survived"]
    with pytest.raises(ValueError, match=r"results=\(\): a score of x needs a mutant"):
        MutationScore("x", "key", 3, 1, ("tool",), ())


@pytest.mark.parametrize("count", [0, 40_000])
def test_a_number_of_mutants_that_cannot_be_chosen_is_refused(count: int, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"count={count}: expected an integer from 1 to 32767"):
        mutate(unit("decode", FAULT_CONFIG), count, 1, default_rtl_folder(), tmp_path)


@pytest.mark.parametrize("name", UNIT_NAMES)
def test_what_is_admissible_names_only_input_ports(name: str) -> None:
    two = ArrayConfig(2, 2, UnitConfig(("e2m1", "int4"), hadamard_n=4))
    described = unit(name, two)
    text = admissible(described)
    words = set(re.findall(r"\b\w+_i\b", text)) - {"in_valid_i"}
    assert words <= {port.signal for port in described.inputs}
