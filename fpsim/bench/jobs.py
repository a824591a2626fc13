"""The jobs: casting, the exact FP4 matrix product, the input side of a layer, a whole model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from fpsim.array.config import ArrayConfig
from fpsim.bench.jobs_accumulators import ACCUMULATOR_JOBS
from fpsim.bench.jobs_formats import FORMAT_JOBS
from fpsim.bench.measure import Comparison, compare
from fpsim.dit.checkpoint import load_noise
from fpsim.dit.workload import load_model
from fpsim.kernels.cast import encode
from fpsim.kernels.linear import linear
from fpsim.kernels.pack import pack
from fpsim.kernels.prepared import Prepared
from fpsim.kernels.rows import quantize_rows
from fpsim.quant.execute import on_machine
from fpsim.quant.recipes import quantize_model

ONE_TF32 = 127 << 10


def cast_to_e2m1() -> Comparison:
    """4 Mi float32 values to E2M1 codes, nearest even, against ml_dtypes."""
    try:
        import ml_dtypes
    except ImportError:
        raise RuntimeError('ml_dtypes is missing; type: pip install "fpsim[dev]"') from None
    x = np.random.default_rng(0).standard_normal(1 << 22).astype(np.float32) * 3
    return compare(
        "cast 4 Mi float32 to E2M1 codes",
        "ml_dtypes",
        lambda: encode(x, "e2m1"),
        lambda: x.astype(ml_dtypes.float4_e2m1fn),
        work=x.size,
        unit="elements/s",
    )


def _product(m: int, k: int, n: int) -> tuple[Callable[[], object], np.random.Generator]:
    """From packed codes of both operands, two per byte, to FP16: decoding, sums, scales, bias, rounding."""
    rng = np.random.default_rng(1)
    a, b = (pack(rng.integers(0, 16, (rows, k), dtype=np.uint8)) for rows in (m, n))
    rows = np.full(m, ONE_TF32, np.uint32)
    cols, bias = np.full(n, ONE_TF32, np.uint32), np.zeros(n, np.uint16)

    def ours() -> object:
        left, right = (Prepared(codes, "e2m1", packed=True, keep=False) for codes in (a, b))
        return linear(left, right, 26, rows, cols, bias)

    return ours, rng


def product_against_float32() -> Comparison:
    """Exact E2M1 product 256 x 1152 x 4608 from packed codes to FP16, against torch's float32 product."""
    m, k, n = 256, 1152, 4608
    ours, rng = _product(m, k, n)
    a, b = (torch.from_numpy(rng.standard_normal(shape).astype(np.float32)) for shape in ((m, k), (n, k)))
    return compare(
        f"exact FP4 product {m}x{k}x{n}, packed codes to FP16",
        "torch float32",
        ours,
        lambda: a @ b.T,
        work=m * k * n,
        unit="MAC/s",
    )


def product_against_int8() -> Comparison:
    """The same, against torch's int8 product of ready operands."""
    m, k, n = 256, 1152, 4608
    ours, rng = _product(m, k, n)
    a, b = (torch.from_numpy(rng.integers(-12, 13, shape, dtype=np.int8)) for shape in ((m, k), (n, k)))
    return compare(
        f"exact FP4 product {m}x{k}x{n}, packed codes to FP16",
        "torch._int_mm",
        ours,
        lambda: torch._int_mm(a, b.T),
        work=m * k * n,
        unit="MAC/s",
    )


def layer_input() -> Comparison:
    """Align, Hadamard 32, amax, scale and quantize 4096 rows of 1152, against a copy of the same bytes."""
    x = np.random.default_rng(2).standard_normal((4096, 1152)).astype(np.float16).view(np.uint16)
    signs = np.ones(1152, np.int8)
    return compare(
        "align, Hadamard 32, quantize 4096 rows of 1152",
        "numpy copy",
        lambda: quantize_rows(x, guard_bits=4, hadamard_n=32, signs=signs, fmt="e2m1"),
        x.copy,
        work=x.size,
        unit="elements/s",
    )


def digits_forward() -> Comparison:
    """One forward pass of the digits model, 100 images, on the machine against torch float32."""
    config = ArrayConfig()
    model = load_model("digits")
    executed = on_machine(quantize_model(model, "rotated-w4a4", config), config)
    start = load_noise(100)
    t = torch.full((100,), 500)

    def run(which: object) -> object:
        with torch.inference_mode():
            return which(start.noise, t, start.labels)  # type: ignore[operator]

    block_linear_macs = 16 * 6 * (3 + 1 + 4 + 4) * 96 * 96 * 100
    return compare(
        "digits DiT, 100 images, every block linear bit by bit",
        "torch float32",
        lambda: run(executed),
        lambda: run(model),
        work=block_linear_macs,
        unit="MAC/s",
    )


JOBS = (
    cast_to_e2m1,
    product_against_float32,
    product_against_int8,
    layer_input,
    digits_forward,
    *FORMAT_JOBS,
    *ACCUMULATOR_JOBS,
)


def run_jobs() -> Iterator[Comparison]:
    """All jobs, one after the other, torch on one thread."""
    torch.set_num_threads(1)
    for job in JOBS:
        yield job()
