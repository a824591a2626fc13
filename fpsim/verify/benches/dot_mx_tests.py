"""fpsim_dot_mx against fpsim.arith.dot_mx: every sum of blocks."""

from __future__ import annotations

from typing import Any

import cocotb

from fpsim.arith.dot_mx import dot_mx
from fpsim.verify.benches.dot_blocks import check
from fpsim.verify.benches.harness import Bench


@cocotb.test()
async def random(dut: Any) -> None:
    """Ties, cancellation, both ends of the range, NaN scales, far scales, ordinary sums."""
    await check(Bench(dut, "random"), dot_mx)
