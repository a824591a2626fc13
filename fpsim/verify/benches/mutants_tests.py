"""Run a unit's own bench on one mutant after the other, in one simulator: `fpsim.verify.mutation` starts it.

The benches stop at their first mismatch and each begins with a reset, so that a mutant takes milliseconds.
"""

from __future__ import annotations

import importlib
import json
import os
import time
from pathlib import Path
from typing import Any

import cocotb
from cocotb.triggers import Timer

from fpsim.verify.job import JOB_VARIABLE, Job
from fpsim.verify.mismatch import RtlMismatch
from fpsim.verify.mutants import SELECT

ORDER_FILE = "order.json"
DONE_FILE = "done.jsonl"


@cocotb.test()
async def mutants(dut: Any) -> None:
    """Every mutant of the order file; a line of the result file for each, written at once."""
    job_file = Path(os.environ[JOB_VARIABLE])
    job = Job.read(job_file)
    bench = importlib.import_module(f"fpsim.verify.benches.{job.unit_name}_tests")
    numbers = json.loads((job_file.parent / ORDER_FILE).read_text(encoding="utf-8"))
    with (job_file.parent / DONE_FILE).open("a", encoding="utf-8") as done:
        for number in numbers:
            getattr(dut, SELECT).value = number
            await Timer(1, "ns")
            start = time.perf_counter()
            kind, message = await _first_failure(bench, job, dut)
            seconds = round(time.perf_counter() - start, 4)
            line = {"number": number, "killed_by": kind, "message": message, "seconds": seconds}
            done.write(json.dumps(line) + "\n")
            done.flush()


async def _first_failure(bench: Any, job: Job, dut: Any) -> tuple[str, str]:
    for kind in job.kinds:
        try:
            await getattr(bench, kind).func(dut)
        except RtlMismatch as mismatch:
            return kind, str(mismatch).splitlines()[0]
    return "", ""
