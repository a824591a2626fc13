"""`fpsim formats`: tables of codes against the standards' values and other libraries."""

from __future__ import annotations

import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from typer.testing import CliRunner

from fpsim.cli import app
from fpsim.formats import FORMATS


def run(*words: str) -> str:
    result = CliRunner().invoke(app, ["formats", *words], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0, result.output
    return result.output


def data(*words: str) -> dict[str, Any]:
    return json.loads(run(*words, "--json"))


def test_without_a_name_it_lists_all_formats() -> None:
    text = run()
    assert all(f"{name} " in text for name in FORMATS)
    listed = {form["name"]: form for form in data()["formats"]}
    assert set(listed) == set(FORMATS)
    assert (listed["e4m3"]["largest"], listed["e4m3"]["smallest"]) == (448, 2**-9)  # OCP FP8, table 1
    assert (listed["e5m2"]["largest"], listed["e5m2"]["has_inf"]) == (57344, True)


def test_the_table_of_e2m1() -> None:
    table = data("e2m1")
    rows = table["codes"]
    # OCP MX v1.0, section 5.3.3; ties to the even code.
    assert [row["value"] for row in rows[:8]] == [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    assert [row["tie"] for row in rows[:7]] == [0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5]
    assert [row["tie_to"] for row in rows[:7]] == [0, 1, 1, 2, 2, 4, 4]
    assert (rows[7]["above"], rows[7]["tie"], rows[15]["below"]) == (None, None, None)
    assert [row["bits"] for row in (rows[0], rows[3], rows[8], rows[15])] == [
        "0 00 0",
        "0 01 1",
        "1 00 0",
        "1 11 1",
    ]
    assert (rows[8]["note"], rows[8]["below"], rows[8]["above"]) == ("minus zero", -0.5, 0.5)
    text = run("E2M1")
    assert "2 exponent, 1 significand bits, bias 1" in text
    assert "0 10 1" in text


def test_ties_of_e3m0_go_by_the_torch_rule() -> None:
    rows = data("e3m0")["codes"]
    assert [row["tie_to"] for row in rows[:7]] == [0, 2, 4, 8, 16, 32, 64]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("e4m3", ml_dtypes.float8_e4m3fn), ("e5m2", ml_dtypes.float8_e5m2), ("e2m3", ml_dtypes.float6_e2m3fn)],
)  # fmt: skip
def test_values_and_ties_are_those_of_ml_dtypes(name: str, dtype: Any) -> None:
    rows = data(name)["codes"]
    theirs = np.arange(len(rows), dtype=np.uint8).view(dtype).astype(np.float64)
    ties = 0
    for row, value in zip(rows, theirs.tolist(), strict=True):
        special = {"nan": np.nan, "+inf": np.inf, "-inf": -np.inf}
        np.testing.assert_equal(special.get(row["value"], row["value"]), value)
        if row["tie"] is not None:
            assert row["tie_to"] == float(np.float32(row["tie"]).astype(dtype))
            ties += 1
    assert ties >= len(rows) - 10


def test_wide_formats_show_the_codes_that_have_a_name() -> None:
    rows = {row["note"]: row for row in data("fp16")["codes"]}
    # IEEE 754-2019, binary16.
    assert rows["largest"]["value"] == 65504
    assert rows["largest"]["below"] == 65472
    assert rows["smallest subnormal"]["value"] == 2**-24
    assert rows["smallest normal"]["value"] == 2**-14
    assert rows["largest subnormal"]["above"] == 2**-14
    assert (rows["one"]["code"], rows["one"]["above"]) == (0x3C00, 1 + 2**-10)
    assert rows["one"]["tie_to"] == 1
    assert (rows["infinity"]["value"], rows["NaN"]["value"]) == ("+inf", "nan")
    assert rows["minus zero"]["below"] == -(2**-24)
    assert len(rows) < 12
    assert "largest subnormal" in run("fp32")


def test_a_real_bias_scales_the_table() -> None:
    # methods.md section 1.2: E2M1 at bias 2.
    assert [row["value"] for row in data("e2m1", "--bias", "2")["codes"][:8]] == [
        0,
        0.25,
        0.5,
        0.75,
        1,
        1.5,
        2,
        3,
    ]
    assert "real bias 1.7" in run("e2m1", "--bias", "1.7")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_table(name: str) -> None:
    table = data(name)
    assert len(table["codes"]) == (1 << table["bits"] if table["bits"] <= 8 else len(table["codes"]))
    assert len(table["codes"]) > 5
    assert name in run(name)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["e9m9"], "format='e9m9': expected one of e2m1"),
        (["--bias", "2"], "bias=2.0: expected a format beside it"),
        (["fp16", "--bias", "2.5"], "expected 1, but for floats and integers of at most 8 bits"),
    ],
)
def test_what_is_refused(words: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["formats", *words], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert message in result.output
