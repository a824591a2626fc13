"""Faults on purpose: a bench that lets one of these pass is worth nothing.

Each fault changes one place of a copy of the RTL; the files of the repository are never touched.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fpsim.verify.fault import Fault
from fpsim.verify.faults_array import ARRAY_FAULTS
from fpsim.verify.faults_floats import FLOATS_FAULTS
from fpsim.verify.faults_rows import ROWS_FAULTS
from fpsim.verify.faults_streams import STREAMS_FAULTS
from fpsim.verify.job import Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.runner import Simulator, simulate
from fpsim.verify.units import unit

FAULTS = (*ARRAY_FAULTS, *FLOATS_FAULTS, *ROWS_FAULTS, *STREAMS_FAULTS)


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


def catch(
    fault: Fault,
    *,
    seed: int = 0,
    rtl: Path | None = None,
    cache: Path | None = None,
    simulator: Simulator = "verilator",
) -> str:
    """Run the bench of the fault's unit on the faulty copy and return the message of its failure.

    Raises:
        FaultMissed: the bench passed.
        ValueError: see `injected`.
    """
    kinds = tuple(kind for kind in unit(fault.unit, fault.config).kinds if kind != "golden")
    with injected(fault, rtl) as folder:
        job = Job(fault.unit, fault.config, kinds=kinds, seed=seed, quick=True, rtl=str(folder))
        try:
            run = simulate(job, cache, simulator=simulator)
        except RtlMismatch as mismatch:
            return str(mismatch)
    raise FaultMissed(
        f"{fault.name}: {fault.meaning}; {sum(run.vectors.values())} results compared, all equal"
    )
