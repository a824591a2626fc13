"""A build is found again by what made it, appears whole or not at all, and says why it failed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.build import Build, BuildError, build, cache_folder
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.units import Unit, unit

pytestmark = pytest.mark.rtl

DECODE = unit("decode", ArrayConfig())


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """An empty cache that shares the run-time library with the usual one, to save its compilation."""
    build(DECODE, default_rtl_folder())
    folder = tmp_path / "cache"
    for runtime in cache_folder().glob("runtime-*"):
        if runtime.is_dir():
            shutil.copytree(runtime, folder / runtime.name)
    return folder


@pytest.fixture
def rtl(tmp_path: Path) -> Path:
    """A copy of the RTL."""
    return Path(shutil.copytree(default_rtl_folder(), tmp_path / "rtl"))


def builds(cache: Path) -> list[Path]:
    """Everything in a cache that is not the run-time library, staging folders included."""
    return sorted(path for path in cache.iterdir() if not path.name.startswith("runtime-"))


def test_a_second_build_finds_the_first(cache: Path) -> None:
    first = build(DECODE, default_rtl_folder(), cache)
    second = build(DECODE, default_rtl_folder(), cache)
    assert first.seconds > 0
    assert second == Build(first.folder, 0.0)
    assert builds(cache) == [first.folder]
    assert sorted(file.name for file in first.folder.iterdir()) == ["build.log", "fpsim_decode", "ports.vlt"]


def test_other_sources_and_other_parameters_build_again(cache: Path, rtl: Path) -> None:
    first = build(DECODE, rtl, cache)
    narrow = unit("decode", ArrayConfig(unit=UnitConfig(formats=("e2m1",))))
    assert build(narrow, rtl, cache).seconds > 0
    file = rtl / "fpsim_decode.sv"
    file.write_text(file.read_text(encoding="utf-8") + "// changed\n", encoding="utf-8")
    assert build(DECODE, rtl, cache).seconds > 0
    assert len(builds(cache)) == 3
    assert build(DECODE, default_rtl_folder(), cache) == Build(first.folder, 0.0)


def test_a_change_in_another_unit_does_not_build_again(cache: Path, rtl: Path) -> None:
    build(DECODE, rtl, cache)
    (rtl / "fpsim_epilogue.sv").write_text("// changed\n", encoding="utf-8")
    assert build(DECODE, rtl, cache).seconds == 0


def test_an_interrupted_build_leaves_nothing_that_passes_for_one(cache: Path) -> None:
    script = (
        "from pathlib import Path; from fpsim.verify.build import build\n"
        "from fpsim.verify.rtl_files import default_rtl_folder\n"
        "from fpsim.verify.units import unit; from fpsim.array.config import ArrayConfig\n"
        f"build(unit('decode', ArrayConfig()), default_rtl_folder(), Path({str(cache)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 60
    while not list(cache.glob(".decode-*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not list(cache.glob("decode-*"))
    assert build(DECODE, default_rtl_folder(), cache).seconds > 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("module fpsim_decode (input logic a_i); assign = ; endmodule\n", "syntax error"),
        ("module fpsim_decode (input logic a_i, output logic b_o); assign b_o = c; endmodule\n", "'c'"),
    ],
)
def test_rtl_that_does_not_compile_is_quoted(text: str, said: str, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "fpsim_decode.sv").write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match=r"fpsim_decode.*verilator_bin failed") as failure:
        build(Unit("decode", "combinational", ("exhaustive",), {}, (), ()), tmp_path, cache)
    assert said in str(failure.value)
    assert builds(cache) == []


@pytest.mark.parametrize("which", ["cache", "rtl"])
def test_a_path_with_a_space_is_refused(which: str, cache: Path, tmp_path: Path) -> None:
    folders = {"cache": cache, "rtl": default_rtl_folder(), which: tmp_path / "a b"}
    with pytest.raises(ValueError, match=r"a b' contains a space, which make cannot handle"):
        build(DECODE, folders["rtl"], folders["cache"])


def test_the_cache_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FPSIM_BUILD_DIR", raising=False)
    assert cache_folder() == tmp_path / "build" / "sim"
    monkeypatch.setenv("FPSIM_BUILD_DIR", str(tmp_path / "elsewhere"))
    assert cache_folder() == tmp_path / "elsewhere"
