"""A failure shows bits and values; the values are those of the standards."""

from __future__ import annotations

import pytest

from fpsim.array.config import ArrayConfig
from fpsim.verify.job import Job
from fpsim.verify.mismatch import Reporter, as_signed, lane_value, show
from fpsim.verify.units import Meaning, Port


@pytest.mark.parametrize(
    ("meaning", "width", "bits", "text"),
    [
        ("unsigned", 5, 0b11111, "31"),
        ("signed", 5, 0b11111, "-1"),
        ("fp16", 16, 0x3C00, "1 as fp16"),  # IEEE 754 binary16
        ("fp16", 16, 0x8000, "-0 as fp16"),
        ("fp16", 16, 0x7BFF, "65504 as fp16"),
        ("fp16", 16, 0xFC00, "-inf as fp16"),
        ("fp16", 16, 0x0001, "5.960464477539063e-08 as fp16"),
        ("tf32", 19, 127 << 10, "1 as tf32"),
        ("format", 2, 1, "e3m0"),
        ("code", 4, 0b1111, "-6 as e2m1, -64 as e3m0, -7 as e1m2, -1 as int4"),  # steps of 1/2 in e2m1
        ("code", 4, 0b1000, "-0 as e2m1, -0 as e3m0, -0 as e1m2, -8 as int4"),
        ("flag", 1, 1, "1"),
    ],
)
def test_a_lane_reads_as_its_value(meaning: Meaning, width: int, bits: int, text: str) -> None:
    assert lane_value(Port("x_i", width, meaning=meaning), bits) == text


def test_a_code_of_a_known_format_reads_in_that_format_only() -> None:
    assert lane_value(Port("codes_o", 4, 2, "code"), 0b0011, "e2m1") == "1.5 as e2m1"


def test_a_lane_is_cut_out_of_its_word() -> None:
    port = Port("h_i", 4, 3, "signed")
    assert show(port, 0x0F7, 1) == "h_i[lane 1] = 4'b1111 (-1)"
    assert show(port, 0x0F7, None) == "h_i = 12'h0f7 (lanes 0 up: 7, -1, 0)"


@pytest.mark.parametrize(("bits", "value"), [(0, 0), (7, 7), (8, -8), (15, -1)])
def test_twos_complement(bits: int, value: int) -> None:
    assert as_signed(bits, 4) == value


def test_the_first_wrong_lane_is_shown_with_its_inputs_and_the_replay() -> None:
    job = Job("quantizer", ArrayConfig(2, 2), kinds=("random",), seed=9)
    reporter = Reporter(job, "random", lambda: 41)
    inputs = {"h": 5 << 21 | 3, "amp": 7, "fmt": 3}
    message = str(reporter.mismatch(12, inputs, {"codes": 0x37}, {"codes": 0x47}))
    assert message.splitlines() == [
        "fpsim_quantizer: codes_o lane 1 differs from the law",
        "  parameters Lanes=32 W=21 Formats=15",
        "  vectors    random, seed 9, cycle 41",
        "  beat       12, 1 of 32 lanes of codes_o differ",
        "  input      h_i[lane 1] = 21'b000000000000000000101 (5)",
        "  input      amp_i = 21'b000000000000000000111 (7)",
        "  input      fmt_i = 2'b11 (int4)",
        "  expected   codes_o[lane 1] = 4'b0011 (3 as int4)",
        "  got        codes_o[lane 1] = 4'b0100 (4 as int4)",
        "  replay     python -m fpsim.verify quantizer --kind random --seed 9 --rows 2 --cols 2",
    ]
