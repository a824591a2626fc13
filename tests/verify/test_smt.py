"""The SMT solver answers with a verdict, or says that it could not; a formula it cannot read is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from fpsim.verify.smt import SmtError, SmtRun, smt_version, solve

BYTE = "(set-logic QF_BV)\n(declare-const x (_ BitVec 8))\n"


def test_a_model_is_given_bit_by_bit(tmp_path: Path) -> None:
    run = solve(f"{BYTE}(assert (= (bvmul x #x03) #x0f))\n", tmp_path, timeout_s=60.0)
    assert run == SmtRun("sat", {"x": "#b00000101"})  # 3 is odd: 5 alone


def test_no_model_is_a_verdict(tmp_path: Path) -> None:
    run = solve(f"{BYTE}(assert (= (bvshl x #x01) #x0f))\n", tmp_path, timeout_s=60.0)
    assert run == SmtRun("unsat", {})


def test_a_question_that_takes_too_long_is_unknown(tmp_path: Path) -> None:
    assert solve(BYTE, tmp_path, timeout_s=0.001) == SmtRun("unknown", {})


def test_a_formula_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SmtError, match="bitwuzla failed"):
        solve(f"{BYTE}(assert (= y x))\n", tmp_path, timeout_s=60.0)


def test_the_version_is_named() -> None:
    assert smt_version().startswith("Bitwuzla 0.")
