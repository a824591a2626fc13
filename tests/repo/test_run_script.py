"""`./run` on machines that lack something, or where a set-up was cut off; fast, and without a network."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.repo.machine import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine that has all but the environment."""
    return Machine(tmp_path)


TESTS = "python -m pytest -n logical --maxprocesses 4"
PIP = "pip install --disable-pip-version-check --no-input -c constraints.txt -e .[dev]"


def test_a_first_run_sets_up_and_a_second_one_does_not(machine: Machine) -> None:
    assert machine.run("demo", "--out", "x y")[0] == 0
    assert machine.noted() == [PIP, "fpsim demo --out x y"]
    assert machine.stamp.is_file()
    assert machine.run("demo") == (0, "")
    assert machine.noted() == ["fpsim demo"]


@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_is_installed_into_what_is_there(machine: Machine, file: str) -> None:
    machine.run("setup")
    (machine.home / ".venv" / "mark").touch()
    with (machine.home / file).open("a") as stream:
        stream.write("# changed\n")
    machine.noted()
    assert machine.run("setup")[0] == 0
    assert machine.noted() == [PIP]
    assert (machine.home / ".venv" / "mark").exists()


def test_without_a_compiler_and_without_root_it_prints_what_to_type(machine: Machine) -> None:
    (machine.bin / "g++").unlink()
    (machine.bin / "make").unlink()
    status, printed = machine.run("test")
    assert status == 1
    assert "    sudo apt-get update && sudo apt-get install -y g++ make\n" in printed
    assert machine.noted() == []
    assert not (machine.home / ".venv").exists()


def test_as_root_it_installs_what_is_missing(machine: Machine) -> None:
    machine.be_root(True)
    status, printed = machine.run("setup", FAKE_NO_VENV="1", FAKE_NO_LIBPYTHON="1")
    assert status == 0
    assert machine.noted() == [
        "apt-get update",
        "apt-get install -y --no-install-recommends python3.11-venv libpython3.11",
        PIP,
    ]
    assert "installing Debian packages: python3.11-venv libpython3.11" in printed


def test_sudo_is_used_where_it_asks_no_password(machine: Machine) -> None:
    machine.put("sudo", '#!/usr/bin/env bash\n[ "$1" = -n ] && shift && exec "$@"\n')
    (machine.bin / "make").unlink()
    assert machine.run("setup")[0] == 0
    assert machine.noted()[:2] == ["apt-get update", "apt-get install -y --no-install-recommends make"]


def test_without_apt_it_names_what_is_missing(machine: Machine) -> None:
    (machine.bin / "apt-get").unlink()
    (machine.bin / "make").unlink()
    status, printed = machine.run("setup")
    assert status == 1
    assert "make" in printed
    assert "package manager" in printed


def test_an_old_python_is_refused(machine: Machine) -> None:
    status, printed = machine.run("test", FAKE_OLD="1")
    assert status == 1
    assert "sudo apt-get install -y python3.11 python3.11-venv libpython3.11" in printed


def test_without_python_the_packages_that_bring_it_are_named(machine: Machine) -> None:
    (machine.bin / "python3").unlink()
    status, printed = machine.run("test")
    assert status == 1
    assert "sudo apt-get install -y python3 python3-venv libpython3-dev" in printed


def test_a_failed_install_shows_the_end_of_its_log_and_leaves_no_stamp(machine: Machine) -> None:
    status, printed = machine.run("test", FAKE_PIP_STATUS="1")
    assert status == 1
    assert "pip's last words" in printed
    assert f"{machine.home}/.venv/setup.log" in printed
    assert not machine.stamp.exists()


def test_a_set_up_that_was_cut_off_is_done_again_from_the_start(machine: Machine) -> None:
    process = machine.start("setup", FAKE_PIP_SECONDS="30")
    wait_for(machine.notes)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not machine.stamp.exists()
    (machine.home / ".venv" / "half").touch()
    machine.noted()
    assert machine.run("setup")[0] == 0
    assert machine.noted() == [PIP]
    assert machine.stamp.exists()
    assert not (machine.home / ".venv" / "half").exists()


def test_an_environment_that_no_longer_runs_is_made_anew(machine: Machine) -> None:
    machine.run("setup")
    (machine.home / ".venv" / "bin" / "python").unlink()
    machine.noted()
    assert machine.run("demo")[0] == 0
    assert machine.noted() == [PIP, "fpsim demo"]


def test_an_environment_made_by_hand_is_kept(machine: Machine) -> None:
    machine.run("setup")
    machine.stamp.unlink()
    (machine.home / ".venv" / "setup.log").unlink()
    (machine.home / ".venv" / "mark").touch()
    assert machine.run("setup")[0] == 0
    assert (machine.home / ".venv" / "mark").exists()


def test_two_runs_at_once_set_up_only_once(machine: Machine) -> None:
    first = machine.start("demo", FAKE_PIP_SECONDS="1")
    wait_for(machine.notes)
    status, printed = machine.run("demo")
    first.communicate(timeout=60)
    assert (first.returncode, status) == (0, 0)
    assert "another set-up is running here" in printed
    assert sorted(machine.noted()) == ["fpsim demo", "fpsim demo", PIP]


def test_a_folder_with_a_space_works_but_says_what_will_not(tmp_path: Path) -> None:
    (tmp_path / "two words").mkdir()
    machine = Machine(tmp_path / "two words")
    status, printed = machine.run("demo")
    assert status == 0
    assert "path with spaces" in printed
    assert machine.noted() == [PIP, "fpsim demo"]


def test_help_needs_no_set_up(machine: Machine) -> None:
    status, printed = machine.run()
    assert status == 0
    assert "./run demo" in printed
    assert machine.run("help") == (status, printed)
    assert not (machine.home / ".venv").exists()


def test_jobs_run_in_the_environment(machine: Machine) -> None:
    machine.run("setup")
    machine.noted()
    for job in ("check", "notebooks", "rtl", "golden"):
        assert machine.run(job) == (0, "")
    assert machine.noted() == [
        "python -m ruff check .",
        "python -m ruff format --check .",
        "python -m mypy",
        TESTS,
        "python -m pytest notebooks",
        "fpsim verify",
        "fpsim golden",
    ]


def test_more_arguments_go_to_pytest(machine: Machine) -> None:
    machine.run("setup")
    machine.noted()
    machine.run("test", "-k", "a or b", "tests/arith")
    assert machine.noted() == [f"{TESTS} -k a or b tests/arith"]


def test_a_failed_lint_fails_the_check(machine: Machine) -> None:
    machine.run("setup")
    python = machine.home / ".venv" / "bin" / "python"
    python.write_text(python.read_text().replace("    *) echo", "    *ruff*) exit 3 ;;\n    *) echo"))
    machine.noted()
    assert machine.run("check")[0] == 3
    assert machine.noted() == []


def test_make_calls_the_script(machine: Machine) -> None:
    make = shutil.which("make") or pytest.fail("make is needed: apt-get install make")
    machine.run("setup")
    machine.noted()
    for target in ("demo", "test", "bench", "rtl", "golden"):
        subprocess.run(
            [make, "-C", str(machine.home), target], env=machine.environment, check=True, timeout=60
        )
    assert machine.noted() == ["fpsim demo", TESTS, "fpsim bench", "fpsim verify", "fpsim golden"]


def wait_for(path: Path) -> None:
    """Wait until a file exists, at most twenty seconds."""
    end = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not appear"
        time.sleep(0.02)
