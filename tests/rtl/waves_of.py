"""A unit run in Icarus cycle by cycle from a table of inputs, and the bits that its signals changed."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

from vcd.reader import TokenKind, tokenize

from fpsim.estimate.stimulus import Run
from fpsim.estimate.synth import source_files
from fpsim.verify.icarus import ICARUS_HINT, icarus_version

RTL = Path(__file__).parents[2] / "rtl"
PERIOD = 2


def run_icarus(
    folder: Path,
    module: str,
    parameters: dict[str, int],
    inputs: dict[str, int],
    outputs: dict[str, int],
    run: Run,
) -> Path:
    """The VCD of a run: row i of the inputs stands from time 2 i on, the clock rises at 2 i + 1."""
    assert icarus_version(), ICARUS_HINT
    bits = run.bits(inputs)
    width = bits.shape[1]
    rows = ["".join(map(str, row[::-1])) for row in bits]
    (folder / "inputs.mem").write_text("\n".join(rows) + "\n")
    ports, low = [".clk_i(clk)"], 0
    for name, size in inputs.items():
        ports.append(f".{name}(word[{low} +: {size}])")
        low += size
    wires = "".join(f"  wire [{size - 1}:0] {name};\n" for name, size in outputs.items())
    ports += [f".{name}({name})" for name in outputs]
    sets = ", ".join(f".{name}({value})" for name, value in parameters.items())
    (folder / "bench.sv").write_text(
        f"module bench;\n  reg clk = 0;\n  reg [{width - 1}:0] mem [0:{len(rows) - 1}];\n"
        f"  reg [{width - 1}:0] word;\n{wires}  integer i;\n"
        f"  {module} #({sets}) dut ({', '.join(ports)});\n"
        "  initial begin\n"
        f'    $readmemb("inputs.mem", mem); $dumpfile("waves.vcd"); $dumpvars(0, dut);\n'
        f"    for (i = 0; i < {len(rows)}; i = i + 1) begin word = mem[i]; clk = 0; #1 clk = 1; #1; end\n"
        "    $finish;\n  end\nendmodule\n"
    )
    files = [str(path) for path in source_files(RTL, [module])]
    subprocess.run(["iverilog", "-g2012", "-o", "sim", *files, "bench.sv"], cwd=folder, check=True)
    subprocess.run(["vvp", "-n", "sim"], cwd=folder, check=True, capture_output=True)
    return folder / "waves.vcd"


def count_changes(vcd: Path, signals: dict[str, str], start: int) -> Counter[str]:
    """Bits that changed from one time to the next, after a time.

    Args:
        vcd: the waves.
        signals: what to call it, to a pattern of the signal's full name, `bench.dut.` left out.
        start: changes up to and with this time do not count.

    Raises:
        AssertionError: a counted signal has an X or a Z after `start`, or a pattern finds no signal.
    """
    scopes: list[str] = []
    wanted: dict[str, set[str]] = {}  # identifier code to what it counts for
    value: dict[str, int | None] = {}
    total: Counter[str] = Counter()
    now = -1
    changed: dict[str, int | None] = {}  # at the present time

    def settle() -> None:
        for code, after in changed.items():
            before = value.get(code)
            value[code] = after
            if now > start:
                assert before is not None, f"X or Z at time {now}"
                assert after is not None, f"X or Z at time {now}"
                for name in wanted[code]:
                    total[name] += (before ^ after).bit_count()
        changed.clear()

    with vcd.open("rb") as stream:
        for token in tokenize(stream):
            if token.kind is TokenKind.SCOPE:
                scopes.append(token.scope.ident)
            elif token.kind is TokenKind.UPSCOPE:
                scopes.pop()
            elif token.kind is TokenKind.VAR:
                full = ".".join([*scopes[2:], token.var.reference])
                for name, pattern in signals.items():
                    if re.fullmatch(pattern, full):
                        wanted.setdefault(token.var.id_code, set()).add(name)
            elif token.kind is TokenKind.CHANGE_TIME:
                settle()
                now = token.time_change
            elif token.kind is TokenKind.CHANGE_SCALAR and token.scalar_change.id_code in wanted:
                bit = token.scalar_change.value
                changed[token.scalar_change.id_code] = int(bit) if bit in "01" else None
            elif token.kind is TokenKind.CHANGE_VECTOR and token.vector_change.id_code in wanted:
                word = token.vector_change.value
                changed[token.vector_change.id_code] = word if isinstance(word, int) else None
    settle()
    assert {name for names in wanted.values() for name in names} == set(signals)
    return total
