"""A job survives the way into the simulator, and the replay command means the same job."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.verify.__main__ import _job, _parser
from fpsim.verify.job import Job

ODD = ArrayConfig(3, 5, UnitConfig(("e2m1", "int4"), 12, 0, 4, overflow="saturate", overlap=False))
FLOAT = ArrayConfig(unit=UnitConfig(float_acc=FloatAccumulator(5, 2, "ieee", "stochastic", "inf", 8)))


@pytest.mark.parametrize(
    "job",
    [
        Job("mul", ArrayConfig(8, 8), kinds=("exhaustive",)),
        Job("epilogue", ODD, kinds=("random",), seed=12, quick=True, rtl="some rtl"),
        Job("mac_float", FLOAT),
        Job("mac", ArrayConfig(unit=UnitConfig(acc_bits=9)), kinds=("exhaustive", "random")),
    ],
)
def test_write_and_read_give_the_same_job(job: Job, tmp_path: Path) -> None:
    job.write(tmp_path / "job.json")
    assert Job.read(tmp_path / "job.json") == job


@pytest.mark.parametrize("config", [ArrayConfig(8, 8), ArrayConfig(), ODD, FLOAT])
@pytest.mark.parametrize("quick", [False, True])
def test_the_replay_command_means_the_same_job(config: ArrayConfig, quick: bool) -> None:
    job = Job("align", config, kinds=("random",), seed=5, quick=quick, rtl="my rtl")
    words = shlex.split(job.replay("random"))
    assert words[:3] == ["python", "-m", "fpsim.verify"]
    assert _job(_parser().parse_args(words[3:])) == job


@pytest.mark.parametrize("kinds", [(), ("all",)])
def test_unknown_kinds_are_refused(kinds: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expected some of golden, exhaustive, random"):
        Job("mul", ArrayConfig(), kinds=kinds)  # type: ignore[arg-type]


def test_a_golden_folder_and_the_kind_golden_belong_together() -> None:
    with pytest.raises(ValueError, match="if and only if kinds has 'golden'"):
        Job("mac_array", ArrayConfig(), kinds=("golden",))
    with pytest.raises(ValueError, match="if and only if kinds has 'golden'"):
        Job("mac_array", ArrayConfig(), kinds=("random",), golden="folder")


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="unit='adder': expected one of decode, mul, mac, "):
        _ = Job("adder", ArrayConfig()).unit
