"""Every RTL module passes `verilator --lint-only -Wall` without a word, in the sizes that bend its widths."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from fpsim.verify.sv_package import PACKAGE_PATH
from fpsim.verify.sv_row_package import ROW_PACKAGE_PATH
from fpsim.verify.toolchain import verilator_environment

RTL = PACKAGE_PATH.parent
PACKAGES = [PACKAGE_PATH, ROW_PACKAGE_PATH]
MODULES = sorted(path.stem for path in RTL.glob("*.sv") if path not in PACKAGES)
LONGEST_MODULE = 200

# Beside the defaults: one lane, odd sizes, narrow and wide words, every format alone and a pair.
_FORMATS = [{"Formats": mask} for mask in (1, 2, 4, 8, 3)]
SIZES: dict[str, list[dict[str, int]]] = {
    "fpsim_decode": _FORMATS,
    "fpsim_mul": _FORMATS,
    "fpsim_mac": [
        *_FORMATS,
        {"AccW": 9},
        {"AccW": 40},
        *({"AccW": bits, "Saturate": 1} for bits in (9, 14, 15, 40)),
    ],
    "fpsim_pe": [{"Formats": 1}, {"AccW": 9, "Saturate": 1}, {"Overlap": 0}],
    "fpsim_mac_array": [
        {"Rows": 1, "Cols": 1},
        {"Rows": 2, "Cols": 3, "Formats": 1},
        {"Rows": 3, "Cols": 2, "AccW": 9},
        {"Rows": 3, "Cols": 1, "AccW": 12, "Saturate": 1},
        {"Rows": 2, "Cols": 2, "Overlap": 0},
    ],
    "fpsim_mac_array_control": [
        {"Rows": 1, "Cols": 1},
        {"Rows": 1, "Cols": 5},
        {"Rows": 7, "Cols": 2},
        {"Overlap": 0},
    ],
    "fpsim_align": [{"Lanes": 1}, {"GuardBits": 0}, {"GuardBits": 8}],
    "fpsim_hadamard": [{"N": 2}, {"N": 8}, {"N": 8, "InW": 12}],
    "fpsim_amax": [{"Lanes": 1}, {"Lanes": 5, "W": 13}],
    "fpsim_row_scale": [{"GuardBits": 0}, {"GuardBits": 8}, {"W": 13}],
    "fpsim_quantizer": [*({"Lanes": 2, **formats} for formats in _FORMATS), {"Lanes": 2, "W": 13}],
    "fpsim_mac_float": [
        *_FORMATS,
        {"ExpW": 8, "ManW": 7},
        {"ExpW": 5, "ManW": 10, "Rounding": 2, "Overflow": 1},
        {"ExpW": 2, "ManW": 1, "Specials": 0, "Overflow": 2, "Formats": 2},
        {"ExpW": 2, "ManW": 23, "Rounding": 3},
        {"ExpW": 8, "ManW": 1, "Rounding": 4},
        {"ExpW": 4, "ManW": 3, "Specials": 1, "Rounding": 1, "Overflow": 2},
        {"ExpW": 5, "ManW": 2, "Rounding": 5, "RandomW": 1},
        {"ExpW": 8, "ManW": 23, "Rounding": 5, "RandomW": 32},
    ],
    "fpsim_add_tree": [{"Lanes": 2, "W": 2}, {"Lanes": 16}],
    "fpsim_normalize": [{"W": 2}, {"W": 19}, {"W": 8, "LimitW": 10}],
    "fpsim_dot_e2m1": [{"Lanes": 8}, {"Lanes": 16}],
    "fpsim_lfsr": [{"Bits": 1}, {"Bits": 31}, {"Bits": 256}],
    "fpsim_wide_quantizer": [{"Lanes": 1, "RandomBits": 1}, {"Lanes": 2, "W": 13, "RandomBits": 16}],
    "fpsim_range": [{"Lanes": 1}, {"Lanes": 5, "W": 13}],
    "fpsim_zero_point": [{"W": 13}, {"W": 28}],
    "fpsim_row_sum": [{"Lanes": 1}, {"Lanes": 5, "DepthW": 8}],
    "fpsim_group_registers": [{"Groups": 2}, {"Groups": 10, "W": 13}],
    "fpsim_zero_correction": [{"Lanes": 1, "AccW": 9}, {"Lanes": 2, "AccW": 40}],
    "fpsim_wide_epilogue": [{"Lanes": 1, "AccW": 9}, {"Lanes": 2, "AccW": 42}],
    "fpsim_hadamard_outer": [{"Lanes": 1, "MaxBeats": 2}, {"Lanes": 3, "InW": 13, "MaxBeats": 36}],
    "fpsim_fifo": [{"Depth": 1}, {"Depth": 2, "W": 1}, {"Depth": 5}, {"Depth": 64}],
    "fpsim_skid": [{"W": 1}],
    "fpsim_epilogue": [{"Lanes": 1}, {"Lanes": 2, "AccW": 9}, {"Lanes": 2, "AccW": 40}],
    "fpsim_sign_memory": [{"N": 128}, {"N": 4, "KMax": 32}],
    "fpsim_row_amplitude": [{"Zeros": 0}],
    "fpsim_row_quantizer": [{"N": 2, "Zeros": 0}, {"N": 2, "Wide": 0, "Zeros": 0}],
    "fpsim_row_rotation": [{"Outer": 0}],
    "fpsim_nibble_banks": [{"Wide": 0}],
    "fpsim_column_bank": [{"Cols": 1}, {"Zeros": 0}],
    "fpsim_top": [
        {"Rows": 1, "Cols": 1, "HadamardN": 2, "KMax": 32},
        {"Rows": 3, "Cols": 5, "HadamardN": 4, "Formats": 9, "AccW": 12, "GuardBits": 0, "KMax": 32},
        {"Rows": 2, "Cols": 21, "HadamardN": 128, "Overlap": 0, "GuardBits": 8, "KMax": 256},
        {"Rows": 2, "Cols": 2, "HadamardN": 4, "Formats": 1, "Outer": 0, "KMax": 32},
        {"Rows": 2, "Cols": 2, "AccW": 40, "GuardBits": 8, "KMax": 16384},
    ],
}
CASES: list[tuple[str, dict[str, int]]] = [(module, {}) for module in MODULES] + [
    (module, parameters) for module, sizes in SIZES.items() for parameters in sizes
]


def lint(module: str, parameters: dict[str, int], files: list[Path]) -> str:
    """What Verilator says against the module; empty where it is clean."""
    result = subprocess.run(
        [
            "verilator_bin",
            *("--lint-only", "-Wall", "--quiet-stats", "--top-module", module),
            *(f"-G{name}={value}" for name, value in parameters.items()),
            *map(str, files),
        ],
        env=verilator_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = "\n".join(
        line for line in (result.stdout + result.stderr).splitlines() if not line.startswith("- ")
    )
    return said or ("" if result.returncode == 0 else f"exit status {result.returncode}")


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("module", "parameters"),
    [
        pytest.param(module, parameters, id="-".join([module, *(f"{k}{v}" for k, v in parameters.items())]))
        for module, parameters in CASES
    ],
)
def test_verilator_has_nothing_against_the_module(module: str, parameters: dict[str, int]) -> None:
    others = [RTL / f"{name}.sv" for name in MODULES]
    said = lint(module, parameters, [*PACKAGES, *others])
    assert not said, f"{module} {parameters}:\n{said}"


@pytest.mark.rtl
def test_the_gate_sees_a_fault(tmp_path: Path) -> None:
    faulty = tmp_path / "fpsim_faulty.sv"
    faulty.write_text(
        "module fpsim_faulty (input logic [3:0] a_i, output logic [2:0] y_o);\n"
        "  assign y_o = a_i;\n"
        "endmodule\n"
    )
    assert "WIDTHTRUNC" in lint("fpsim_faulty", {}, [faulty])


def test_sizes_name_modules_that_exist() -> None:
    assert MODULES, f"no modules in {RTL}"
    assert set(SIZES) <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_file_is_one_short_module_with_a_header(module: str) -> None:
    text = (RTL / f"{module}.sv").read_text()
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [module]
    assert len(text.splitlines()) < LONGEST_MODULE
    header = text[: text.index("`default_nettype none")]
    assert all(line.startswith("//") for line in header.splitlines() if line)
    missing = [word for word in ("Latency", "Throughput", "Python twin") if word not in header]
    assert not missing, f"{module}: the header comment does not say: {', '.join(missing)}"
