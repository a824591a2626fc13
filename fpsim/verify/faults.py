"""Faults on purpose: a bench that lets one of these pass is worth nothing.

Each fault changes one place of a copy of the RTL; the files of the repository are never touched.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.runner import simulate
from fpsim.verify.units import unit

# Small: what a fault changes does not depend on the size.
FAULT_CONFIG = ArrayConfig(rows=4, cols=4, unit=UnitConfig(hadamard_n=8))


@dataclass(frozen=True)
class Fault:
    """One change of the RTL.

    Attributes:
        name: short name.
        unit: the unit whose bench must notice.
        file: the file that is changed.
        find: text that occurs exactly once in the file; spaces stand for any white space.
        replace: what takes its place.
        meaning: what goes wrong, in words.
    """

    name: str
    unit: str
    file: str
    find: str
    replace: str
    meaning: str


FAULTS = (
    Fault(
        "decode-entry",
        "decode",
        "fpsim_decode.sv",
        "e2m1_exp == 2'd2}",
        "e2m1_exp == 2'd1}",
        "one entry of the E2M1 table has the wrong shift",
    ),
    Fault(
        "decode-undriven",
        "decode",
        "fpsim_decode.sv",
        "assign sign = code_i[3];",
        "",
        "the sign is not driven",
    ),
    Fault(
        "mul-sign",
        "mul",
        "fpsim_mul.sv",
        "(a_neg_i ^ b_neg_i)",
        "(a_neg_i & ~b_neg_i)",
        "a negative b does not negate the product",
    ),
    Fault(
        "mac-wrap",
        "mac",
        "fpsim_mac.sv",
        "acc_q <= acc_d;",
        "acc_q <= {acc_d[AccW-2], acc_d[AccW-2:0]};",
        "the accumulator misses its top bit: wrong only where it wraps",
    ),
    Fault(
        "mac-array-skew",
        "mac_array",
        "fpsim_mac_array.sv",
        "#(.W(CODE_W), .Depth(c))",
        "#(.W(CODE_W), .Depth(c == 2 ? 1 : c))",
        "column 2 meets its activations one beat late",
    ),
    Fault(
        "align-tie",
        "align",
        "fpsim_align_lane.sv",
        "half && (sticky || magnitude[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "hadamard-negation",
        "hadamard",
        "fpsim_butterfly.sv",
        "(b ^ {OUT_W{en_i}})",
        "b",
        "the difference of a butterfly does not negate",
    ),
    Fault(
        "pipeline-overrun",
        "hadamard",
        "fpsim_pipeline_control.sv",
        "assign load_o = ready & offered;",
        "assign load_o = offered;",
        "a stalled stage takes the next beat: wrong only under back-pressure",
    ),
    Fault(
        "amax-negative",
        "amax",
        "fpsim_amax.sv",
        "+ W'(key[0])",
        "",
        "the magnitude of a negative integer is one too small",
    ),
    Fault(
        "row-scale-tie",
        "row_scale",
        "fpsim_row_scale.sv",
        "half && (sticky || kept[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "quantizer-level",
        "quantizer",
        "fpsim_pkg.sv",
        "LEVELS_E2M1 = {7'd12, 7'd8, 7'd6, 7'd4,",
        "LEVELS_E2M1 = {7'd12, 7'd8, 7'd6, 7'd5,",
        "one level of E2M1 is wrong",
    ),
    Fault(
        "quantizer-tie",
        "quantizer",
        "fpsim_pkg.sv",
        "TIE_UP_E2M1 = 7'b0101010",
        "TIE_UP_E2M1 = 7'b0101011",
        "the tie between 0 and the first level of E2M1 goes up",
    ),
    Fault(
        "epilogue-tie",
        "epilogue",
        "fpsim_fixed_to_fp16.sv",
        "half && (sticky || significand[0])",
        "half",
        "ties round up, not to even",
    ),
    Fault(
        "fifo-index",
        "fifo",
        "fpsim_fifo.sv",
        "push && write_q == INDEX_W'(i)",
        "push && read_q == INDEX_W'(i)",
        "a word goes where the oldest one lies: right only where the queue is empty",
    ),
    Fault(
        "skid-spare",
        "skid",
        "fpsim_skid.sv",
        "assign word_d = spare_q ? spare_word_q : data_i;",
        "assign word_d = data_i;",
        "a word caught behind a stall is lost",
    ),
)


class FaultMissed(RuntimeError):
    """The bench passed although the RTL was wrong."""


@contextmanager
def injected(fault: Fault, rtl: Path | None = None) -> Iterator[Path]:
    """A folder with a copy of the RTL that has the fault; removed afterwards.

    Raises:
        ValueError: the fault's text does not occur exactly once.
    """
    source = default_rtl_folder() if rtl is None else rtl
    with tempfile.TemporaryDirectory(prefix=f"fpsim-{fault.name}-") as name:
        folder = Path(name)
        for file in source.glob("*.sv"):
            shutil.copy(file, folder)
        target = folder / fault.file
        pattern = r"\s+".join(map(re.escape, fault.find.split()))
        text, matches = re.subn(pattern, lambda _: fault.replace, target.read_text(encoding="utf-8"))
        if matches != 1:
            raise ValueError(
                f"fault {fault.name!r}: {fault.find!r} occurs {matches} times in {fault.file}, not once"
            )
        target.write_text(text, encoding="utf-8")
        yield folder


def catch(fault: Fault, *, seed: int = 0, rtl: Path | None = None, cache: Path | None = None) -> str:
    """Run the bench of the fault's unit on the faulty copy and return the message of its failure.

    Raises:
        FaultMissed: the bench passed.
        ValueError: see `injected`.
    """
    kinds = tuple(kind for kind in unit(fault.unit, FAULT_CONFIG).kinds if kind != "golden")
    with injected(fault, rtl) as folder:
        job = Job(fault.unit, FAULT_CONFIG, kinds=kinds, seed=seed, quick=True, rtl=str(folder))
        try:
            run = simulate(job, cache)
        except RtlMismatch as mismatch:
            return str(mismatch)
    raise FaultMissed(
        f"{fault.name}: {fault.meaning}; {sum(run.vectors.values())} results compared, all equal"
    )
