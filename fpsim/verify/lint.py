"""The first linter: Verilator with every warning on, module by module, in the sizes that bend its widths."""

from __future__ import annotations

import subprocess
from pathlib import Path

from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.toolchain import check_tools, verilator_environment

TIMEOUT_S = 120

# Beside the defaults: one lane, odd sizes, narrow and wide words, every format alone and a pair.
_FORMATS = [{"Formats": mask} for mask in (1, 2, 4, 8, 3)]
LINT_SIZES: dict[str, list[dict[str, int]]] = {
    "fpsim_decode": _FORMATS,
    "fpsim_mul": _FORMATS,
    "fpsim_mac": [
        *_FORMATS,
        {"AccW": 9},
        {"AccW": 40},
        *({"AccW": bits, "Saturate": 1} for bits in (9, 14, 15, 40)),
        {"ProductCut": 1},
    ],
    "fpsim_pe": [
        {"Formats": 1},
        {"AccW": 9, "Saturate": 1},
        {"Overlap": 0},
        {"ProductCut": 1},
        {"Overlap": 0, "ProductCut": 1},
    ],
    "fpsim_mac_array": [
        {"Rows": 1, "Cols": 1},
        {"Rows": 2, "Cols": 3, "Formats": 1},
        {"Rows": 3, "Cols": 2, "AccW": 9},
        {"Rows": 3, "Cols": 1, "AccW": 12, "Saturate": 1},
        {"Rows": 2, "Cols": 2, "Overlap": 0},
        {"Rows": 3, "Cols": 4, "ProductCut": 1},
    ],
    "fpsim_mac_array_control": [
        {"Rows": 1, "Cols": 1},
        {"Rows": 1, "Cols": 5},
        {"Rows": 7, "Cols": 2},
        {"Overlap": 0},
        {"Rows": 1, "Cols": 1, "ProductCut": 1},
        {"Rows": 4, "Cols": 4, "ProductCut": 1},
    ],
    "fpsim_align": [{"Lanes": 1}, {"GuardBits": 0}, {"GuardBits": 8}],
    "fpsim_hadamard": [{"N": 2}, {"N": 8}, {"N": 8, "InW": 12}, {"N": 8, "Cut": 2}, {"N": 32, "Cut": 5}],
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
    "fpsim_row_amplitude": [{"Zeros": 0}],
    "fpsim_row_quantizer": [{"N": 2, "Zeros": 0}, {"N": 2, "Wide": 0, "Zeros": 0}],
    "fpsim_row_rotation": [{"Outer": 0}],
    "fpsim_nibble_banks": [{"Wide": 0}],
    "fpsim_column_bank": [{"Cols": 1}, {"Zeros": 0}],
    "fpsim_sign_memory": [{"N": 128}, {"N": 4, "KMax": 32}],
    "fpsim_top": [
        {"Rows": 1, "Cols": 1, "HadamardN": 2, "KMax": 32},
        {"Rows": 3, "Cols": 5, "HadamardN": 4, "Formats": 9, "AccW": 12, "GuardBits": 0, "KMax": 32},
        {"Rows": 2, "Cols": 21, "HadamardN": 128, "Overlap": 0, "GuardBits": 8, "KMax": 256},
        {"Rows": 2, "Cols": 2, "HadamardN": 4, "Formats": 1, "Outer": 0, "KMax": 32},
        {"Rows": 2, "Cols": 2, "AccW": 40, "GuardBits": 8, "KMax": 16384},
        {"Rows": 2, "Cols": 2, "HadamardN": 8, "KMax": 32, "ProductCut": 1, "HadamardCut": 2},
    ],
}


def lint_cases(rtl: Path | None = None) -> list[tuple[str, dict[str, int]]]:
    """Every module of a folder with its default parameters, then the sizes of `LINT_SIZES`.

    Args:
        rtl: folder of the SystemVerilog; None: the repository's own.

    Raises:
        FileNotFoundError: the folder holds no module.
    """
    folder = default_rtl_folder() if rtl is None else rtl
    modules = sorted(path.stem for path in folder.glob("*.sv") if not path.stem.endswith("_pkg"))
    if not modules:
        raise FileNotFoundError(f"{folder}: no SystemVerilog in this folder")
    sizes = [(name, parameters) for name in modules for parameters in LINT_SIZES.get(name, ())]
    return [(name, {}) for name in modules] + sizes


def lint_with_verilator(module: str, parameters: dict[str, int], rtl: Path | None = None) -> str:
    """What Verilator says against a module; empty where it is clean.

    Args:
        module: its name.
        parameters: sizes; the others keep their defaults.
        rtl: folder of the SystemVerilog; None: the repository's own.

    Raises:
        ToolMissing: Verilator is not installed.
    """
    folder = default_rtl_folder() if rtl is None else rtl
    files = sorted(folder.glob("*.sv"), key=lambda file: (not file.stem.endswith("_pkg"), file.name))
    done = subprocess.run(
        [
            str(check_tools().verilator),
            *("--lint-only", "-Wall", "--quiet-stats", "--top-module", module),
            *(f"-G{name}={value}" for name, value in parameters.items()),
            *map(str, files),
        ],
        env=verilator_environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    said = "\n".join(line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("- "))
    return said or ("" if done.returncode == 0 else f"exit status {done.returncode}")
