"""The jobs of accumulators that round or saturate: FP4 products against torch, against each other, mmasim."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch

from fpsim.bench.measure import Comparison, compare
from fpsim.formats import Accumulator, Format
from fpsim.kernels.matmul import matmul

SHAPE = (256, 1152, 4608)
_E6M5 = Format("e6m5", 6, 5, bias=31, specials="ieee")
_E4M3_IEEE = Format("e4m3 with inf", 4, 3, bias=7, specials="ieee")


def _product(acc: Accumulator, shape: tuple[int, int, int]) -> Callable[[], object]:
    """A random E2M1 product (M, K) x (K, N) under an accumulator, from codes."""
    m, k, n = shape
    rng = np.random.default_rng(6)
    a, b = (rng.integers(0, 16, (rows, k), dtype=np.uint8) for rows in (m, n))
    return lambda: matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=acc)


def _compare(
    title: str, peer: str, accs: tuple[Accumulator, Accumulator | None], shape: tuple[int, int, int]
) -> Comparison:
    m, k, n = shape
    ours, other = accs
    if other is None:
        x, y = torch.randn(m, k), torch.randn(n, k)
        theirs: Callable[[], object] = lambda: x @ y.T  # noqa: E731
    else:
        theirs = _product(other, shape)
    job = f"{title}, {m}x{k}x{n}"
    return compare(job, peer, _product(ours, shape), theirs, work=m * k * n, unit="MAC/s")


def fp16_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """Every addition rounded to FP16, against torch's float32 product."""
    return _compare("sums rounded to FP16", "torch float32", (Accumulator.sequential("fp16"), None), shape)


def bf16_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """Every addition rounded to BF16, against FP16."""
    return _narrow_sums("bf16", shape)


def e5m2_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """Every addition rounded to E5M2, against FP16."""
    return _narrow_sums("e5m2", shape)


def e6m5_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """Every addition rounded to E6M5, a format of one's own, against FP16."""
    return _narrow_sums(_E6M5, shape)


def e4m3_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """Every addition rounded to E4M3 and clamped to its range, which these sums leave, against FP16."""
    return _narrow_sums("e4m3", shape)


def infinite_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """Every addition rounded to an E4M3 with infinities, which these sums reach, against FP16."""
    return _narrow_sums(_E4M3_IEEE, shape)


def _narrow_sums(fmt: str | Format, shape: tuple[int, int, int]) -> Comparison:
    acc = Accumulator.sequential(fmt)
    assert acc.fmt is not None
    title = f"sums rounded to {acc.fmt.name.upper()}"
    return _compare(title, "the same in FP16", (acc, Accumulator.sequential("fp16")), shape)


def saturating_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """A 16-bit register that saturates after every addition, and can, against the exact product."""
    accs = (Accumulator.exact(16, "saturate"), Accumulator.exact(32))
    return _compare("saturating 16-bit sums", "exact sums", accs, shape)


def unsaturated_sums(shape: tuple[int, int, int] = SHAPE) -> Comparison:
    """A saturating register that provably never does, against the exact product."""
    accs = (Accumulator.exact(32, "saturate"), Accumulator.exact(32))
    return _compare("saturating 32-bit sums", "exact sums", accs, shape)


def nvfp4_tensor_core(size: int = 256) -> Comparison:
    """NVFP4 on the Blackwell tensor core's model, size^3, against mmasim, bit for bit the same."""
    peer = _mmasim_nvfp4()
    rng = np.random.default_rng(7)
    a, b = (rng.integers(0, 16, (size, size), dtype=np.uint8) for _ in "ab")
    a_scale, b_scale = (rng.integers(40, 80, (size, size // 16), dtype=np.uint8) for _ in "ab")
    scales = [torch.from_numpy(scale).view(torch.float8_e4m3fn) for scale in (a_scale, b_scale)]
    left, right = (torch.from_numpy((x[:, ::2] << 4) | x[:, 1::2]) for x in (a, b))

    def theirs() -> object:
        c = torch.zeros((size, size))
        for k in range(0, size, 64):
            half, sixteenth = slice(k // 2, k // 2 + 32), slice(k // 16, k // 16 + 4)
            c = peer(left[:, half], right[:, half].T, c, scales[0][:, sixteenth], scales[1][:, sixteenth].T)
        return c

    return compare(
        f"NVFP4 on the Blackwell tensor core, {size}^3",
        "mmasim 2.1.1",
        lambda: matmul(
            a, b, a_fmt="e2m1", b_fmt="e2m1", acc="rtx-blackwell-nvfp4", a_scale=a_scale, b_scale=b_scale
        ),
        theirs,
        work=size**3,
        unit="MAC/s",
    )


def _mmasim_nvfp4() -> Any:
    # Its FP64 part compiles C++ when imported; an empty module in its place leaves the tensor cores whole.
    sys.modules.setdefault("mmasim.arithmetic.fma", ModuleType("mmasim.arithmetic.fma"))
    try:
        tensor_cores = import_module("mmasim.nv_ptx")
    except ImportError:
        raise RuntimeError('mmasim is missing; type: pip install "fpsim[dev]"') from None
    shape = "m16n8k64.kind::mxf4nvf4.block16.f32.e2m1.e2m1.f32.ue4m3"
    return tensor_cores.MMABlockScale("RTX Blackwell", shape)


ACCUMULATOR_JOBS = (
    fp16_sums,
    bf16_sums,
    e5m2_sums,
    e6m5_sums,
    e4m3_sums,
    infinite_sums,
    saturating_sums,
    unsaturated_sums,
    nvfp4_tensor_core,
)
