"""fpsim_dot_nvfp4 against fpsim.arith.dot_nvfp4: every sum of blocks."""

from __future__ import annotations

from typing import Any

import cocotb

from fpsim.arith.dot_nvfp4 import dot_nvfp4
from fpsim.verify.benches.dot_blocks import check
from fpsim.verify.benches.harness import Bench


@cocotb.test()
async def random(dut: Any) -> None:
    """Ties, cancellation, both ends of the range, NaN scales, far scales, ordinary sums."""
    await check(Bench(dut, "random"), dot_nvfp4)
