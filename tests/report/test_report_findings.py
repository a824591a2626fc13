"""The verdict follows the data: other numbers, other words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fpsim.report import findings
from fpsim.report.data import ModelQuality, RtlCheck
from tests.report import sample


def changed(model: ModelQuality, name: str, **values: object) -> ModelQuality:
    rows = [replace(row, **values) if row.name == name else row for row in model.rows]  # type: ignore[arg-type]
    return replace(model, rows=rows)


def test_the_ratio_is_that_of_the_data() -> None:
    sentence = findings.quality_sentence(sample.model())
    assert "rotated-w4a4 comes closest to FP32" in sentence
    assert "0.0763, against 3.38 for naive-w4a4 (44.3 times as far)" in sentence  # 3.3821 / 0.0763 = 44.33
    assert "give the same order" in sentence


def test_the_winner_changes_with_the_data() -> None:
    sentence = findings.quality_sentence(changed(sample.model(), "rotated-w4a4", fd_fp32=33.821))
    assert "naive-w4a4 comes closest to FP32" in sentence
    assert "(10.0 times as far)" in sentence
    assert "orders them differently: rotated-w4a4, naive-w4a4" in sentence


def test_equal_distances_have_no_winner() -> None:
    sentence = findings.quality_sentence(changed(sample.model(), "naive-w4a4", fd_fp32=0.0763))
    assert "all recipes are at the same" in sentence


def test_an_exact_recipe_has_no_ratio() -> None:
    sentence = findings.quality_sentence(changed(sample.model(), "rotated-w4a4", fd_fp32=0.0))
    assert "times as far" not in sentence
    assert "to the FP32 samples of the same noise 0, against 3.38" in sentence


def test_one_recipe_or_none() -> None:
    model = sample.model()
    assert "naive-w4a4 is at a" in findings.quality_sentence(replace(model, rows=model.rows[:2]))
    assert "no quantized arithmetic ran" in findings.quality_sentence(replace(model, rows=model.rows[:1]))


def test_fp32_comes_first_and_then_the_nearest() -> None:
    assert [row.name for row in findings.ranked(sample.model())] == ["fp32", "rotated-w4a4", "naive-w4a4"]


def test_metrics_that_mislead_are_named_only_where_they_do() -> None:
    model = sample.model()
    assert findings.misleading(model) == []
    accurate = findings.misleading(changed(model, "naive-w4a4", accuracy=0.99))
    assert len(accurate) == 1
    assert "99.0\u202f% against 98.2\u202f%" in accurate[0]
    nearer = findings.misleading(changed(model, "naive-w4a4", fd_train=0.25))
    assert "0.250 against 0.341" in nearer[0]


def test_a_stress_model_is_called_synthetic() -> None:
    assert findings.model_label(sample.model("digits-stress", "x")) == "digits-stress (synthetic outliers)"
    assert findings.is_synthetic(sample.model("odd", "with Synthetic outliers"))
    assert findings.model_label(sample.model()) == "digits"


def test_vectors_are_counted_by_kind() -> None:
    sentence = findings.rtl_sentence(sample.checks())
    # 9 units: golden 9 x 1024 + 0..8, exhaustive 256 x (0..8), random 9 x 5000
    assert "passed 63\u202f468 vectors in 9 units" in sentence
    assert "9\u202f252 golden, 9\u202f216 exhaustive, 45\u202f000 random" in sentence


@pytest.mark.parametrize("vectors", [{}, {"golden": 0}])
def test_a_unit_without_vectors_did_not_pass(vectors: dict[str, int]) -> None:
    check = RtlCheck("mul", True, vectors, 10, 0.1)
    assert not findings.ok(check)
    assert "mul (no vector was run)" in findings.rtl_sentence([check])


def test_verdict_of_every_outcome() -> None:
    passed, failed, empty = map(findings.verdict, (sample.report(), sample.with_failure(), sample.empty()))
    assert (passed.status, failed.status, empty.status) == ("passed", "failed", "incomplete")
    assert failed.text.startswith("The RTL check FAILED for mul, 1 of 9 units")
    assert "FAILED" not in passed.text
    assert "bit for bit" not in failed.text
    assert "not simulated" in empty.text


def test_cost_follows_the_totals() -> None:
    report = sample.report()
    words = " ".join(findings.cost_sentences(report.cost, report.config))
    assert "0.0904\u202fmm²" in words
    # 212336640 MACs over 1061680 cycles of 256 units
    assert "1\u202f061\u202f680 cycles at 78.1\u202f% utilization" in words
    assert "2.95\u202fmJ (band 1.80 to 5.60\u202fmJ)" in words
    assert "utilization" not in " ".join(findings.cost_sentences(report.cost, {}))
