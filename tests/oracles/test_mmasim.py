"""The tensor cores' presets against mmasim 2.1.1, an independent model that was fitted to the silicon.

Random operands, with zeros, −0 and subnormals, infinities and NaN where the formats have them, C of all
sizes and kinds, and scales from one end of their range to the other; results are compared as bits, NaN too.
"""

from __future__ import annotations

import sys
import types
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from fpsim import matmul
from fpsim.formats import PRESETS, get

# mmasim.arithmetic.fma compiles C++ when it is imported, for FP64 instructions that we do not use.
sys.modules.setdefault("mmasim.arithmetic.fma", types.ModuleType("mmasim.arithmetic.fma"))
from mmasim import nv_ptx  # noqa: E402

OUTPUTS = 256 * 256  # of one batch
MXF4 = "m16n8k64.kind::mxf4.block32.f32.e2m1.e2m1.f32.ue8m0"
TORCH = {
    "e4m3": torch.float8_e4m3fn,
    "e5m2": torch.float8_e5m2,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}
SCALES = {"e8m0": torch.float8_e8m0fnu, "ue4m3": torch.float8_e4m3fn}


class Instruction(NamedTuple):
    """One instruction of mmasim: its class and arguments, the operand formats, the products it takes."""

    kind: str
    arch: str
    shape: str
    pair: tuple[str, str]
    depth: int


def mma(arch: str, shape: str, pair: str, depth: int) -> Instruction:
    left, right = pair.split()
    return Instruction("MMA", arch, shape, (left, right), depth)


BLOCK_SCALED = {
    "rtx-blackwell-nvfp4": ("MMABlockScale", "m16n8k64.kind::mxf4nvf4.block16.f32.e2m1.e2m1.f32.ue4m3"),
    "rtx-blackwell-mxfp4": ("MMABlockScale", MXF4),
    "rtx-blackwell-mxfp4-b16": ("MMABlockScale", MXF4.replace("mxf4.block32", "mxf4nvf4.block16")),
}
NARROW_SCALED = {
    ("e4m3", "e2m1"): "m16n8k32.kind::mxf8f6f4.block32.f32.e4m3.e2m1.f32.ue8m0",
    ("e5m2", "e3m2"): "m16n8k32.kind::mxf8f6f4.block32.f32.e5m2.e3m2.f32.ue8m0",
    ("e2m3", "e4m3"): "m16n8k32.kind::mxf8f6f4.block32.f32.e2m3.e4m3.f32.ue8m0",
}
UNSCALED: list[tuple[str, Instruction]] = [
    ("volta-f16", mma("Volta", "m8n8k4.f32.f16.f16.f32", "fp16 fp16", 4)),
    ("volta-f16-acc16", mma("Volta", "m8n8k4.f16.f16.f16.f16", "fp16 fp16", 4)),
    ("turing-f16", mma("Turing", "m16n8k8.f32.f16.f16.f32", "fp16 fp16", 8)),
    ("turing-f16-acc16", mma("Turing", "m16n8k8.f16.f16.f16.f16", "fp16 fp16", 8)),
    ("ampere-f16", mma("Ampere", "m16n8k16.f32.f16.f16.f32", "fp16 fp16", 16)),
    ("ampere-f16", mma("Ampere", "m16n8k16.f32.bf16.bf16.f32", "bf16 bf16", 16)),
    ("ampere-f16-acc16", mma("Ampere", "m16n8k16.f16.f16.f16.f16", "fp16 fp16", 16)),
    ("ampere-tf32", mma("Ampere", "m16n8k8.f32.tf32.tf32.f32", "tf32 tf32", 8)),
    ("ada-f16", mma("Ada Lovelace", "m16n8k16.f32.bf16.bf16.f32", "bf16 bf16", 16)),
    ("ada-f16-acc16", mma("Ada Lovelace", "m16n8k16.f16.f16.f16.f16", "fp16 fp16", 16)),
    ("ada-tf32", mma("Ada Lovelace", "m16n8k8.f32.tf32.tf32.f32", "tf32 tf32", 8)),
    ("ada-f8", mma("Ada Lovelace", "m16n8k32.f32.e4m3.e5m2.f32", "e4m3 e5m2", 32)),
    ("ada-f8-acc16", mma("Ada Lovelace", "m16n8k32.f16.e5m2.e5m2.f16", "e5m2 e5m2", 32)),
    ("hopper-f16", Instruction("WGMMA", "Hopper", "m64n8k16.f32.f16.f16", ("fp16", "fp16"), 16)),
    ("hopper-f16-acc16", Instruction("WGMMA", "Hopper", "m64n8k16.f16.f16.f16", ("fp16", "fp16"), 16)),
    ("hopper-tf32", Instruction("WGMMA", "Hopper", "m64n8k8.f32.tf32.tf32", ("tf32", "tf32"), 8)),
    ("hopper-f8", Instruction("WGMMA", "Hopper", "m64n8k32.f32.e4m3.e4m3", ("e4m3", "e4m3"), 32)),
    ("hopper-f8-acc16", Instruction("WGMMA", "Hopper", "m64n8k32.f16.e5m2.e4m3", ("e5m2", "e4m3"), 32)),
    *(
        (
            f"blackwell-{preset}",
            Instruction("TCGen05MMA", "Blackwell", f"m64n8k{depth}.kind::{shape}", (left, right), depth),
        )
        for preset, shape, left, right, depth in (
            ("f16", "f16.f32.bf16.bf16", "bf16", "bf16", 16),
            ("f16-acc16", "f16.f16.f16.f16", "fp16", "fp16", 16),
            ("tf32", "tf32.f32.tf32.tf32", "tf32", "tf32", 8),
            ("f8f6f4", "f8f6f4.f32.e2m1.e2m1", "e2m1", "e2m1", 32),
            ("f8f6f4", "f8f6f4.f32.e4m3.e2m3", "e4m3", "e2m3", 32),
            ("f8f6f4-acc16", "f8f6f4.f16.e3m2.e5m2", "e3m2", "e5m2", 32),
        )
    ),
    ("rtx-blackwell-f16", mma("RTX Blackwell", "m16n8k16.f32.f16.f16.f32", "fp16 fp16", 16)),
    ("rtx-blackwell-f16-acc16", mma("RTX Blackwell", "m16n8k16.f16.f16.f16.f16", "fp16 fp16", 16)),
    ("rtx-blackwell-tf32", mma("RTX Blackwell", "m16n8k8.f32.tf32.tf32.f32", "tf32 tf32", 8)),
    (
        "rtx-blackwell-f8f6f4",
        mma("RTX Blackwell", "m16n8k32.kind::f8f6f4.f32.e2m1.e5m2.f32", "e2m1 e5m2", 32),
    ),
    (
        "rtx-blackwell-f8f6f4-acc16",
        mma("RTX Blackwell", "m16n8k32.kind::f8f6f4.f16.e2m1.e2m1.f16", "e2m1 e2m1", 32),
    ),
]


def random_codes(rng: np.random.Generator, fmt: str, shape: tuple[int, int], special: bool) -> np.ndarray:
    """Codes of all values, or near the middle exponents; whole rows of ±0; specials in a few places only."""
    form = get(fmt)
    dtype = np.uint8 if form.bits <= 8 else np.uint16 if form.bits <= 16 else np.uint32
    codes = rng.integers(0, form.n_codes, shape).astype(dtype)
    if form.exp_bits > 4:
        near = rng.random((shape[0], 1)) < 0.5
        middle = (codes & ((8 << form.man_bits) - 1)) + dtype((form.bias - 4) << form.man_bits)
        sign = codes & (form.n_codes // 2)
        codes = np.where(near, middle | sign, codes).astype(dtype)
    if form.has_nan:
        nonfinite = (codes & form.magnitude_mask) > form.max_magnitude_code
        codes[nonfinite & ~(special & (rng.random(shape) < 0.02))] = 0
    codes[rng.random(shape) < 0.2] = 0
    codes[::9] = np.where(codes[::9] & 1, form.n_codes // 2, 0)
    return codes


def random_c(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    ordinary = np.ldexp(rng.standard_normal(shape), rng.integers(-30, 30, shape)).astype(np.float32)
    any_bits = rng.integers(0, 1 << 32, shape, dtype=np.uint64).astype(np.uint32).view(np.float32)
    values = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-40, 3.4e38, 6e-8], np.float32)
    choice = rng.integers(0, 10, shape)
    return np.select([choice < 1, choice < 2, choice < 4], [rng.choice(values, shape), any_bits, 0], ordinary)


def operand_tensor(codes: np.ndarray, fmt: str) -> torch.Tensor:
    """The codes as mmasim takes them: torch's types; FP6 in bits 5:0, FP4 in bits 5:2 of a byte."""
    if fmt == "tf32":
        return torch.from_numpy((codes << 13).view(np.float32))
    if fmt in TORCH:
        return torch.from_numpy(codes.view(np.int16) if codes.itemsize == 2 else codes).view(TORCH[fmt])
    return torch.from_numpy(codes << 2 if fmt == "e2m1" else codes)


def packed(codes: np.ndarray) -> torch.Tensor:
    """E2M1 codes two to a byte, element 0 in the high nibble."""
    return torch.from_numpy((codes[:, ::2] << 4) | codes[:, 1::2])


def random_scales(rng: np.random.Generator, name: str, shape: tuple[int, int], wide: bool) -> np.ndarray:
    count = get(name).n_codes
    low, high = (0, count) if wide else (count // 2 - 20, count // 2 + 20)
    return rng.integers(low, high, shape).astype(np.uint8)


def agree(got: np.ndarray, want: torch.Tensor, what: str) -> None:
    """Assert equal bits; the wanted FP16 results are compared as FP16."""
    expected = want.numpy()
    bits = np.dtype(f"uint{8 * expected.itemsize}")
    with np.errstate(all="ignore"):
        ours = got.astype(expected.dtype).view(bits)
    wrong = np.argwhere(ours != expected.view(bits))
    assert not len(wrong), (
        f"{what}: {len(wrong)} differ, first at {wrong[0]}: ours {ours[tuple(wrong[0])]:#x}, "
        f"mmasim {expected.view(bits)[tuple(wrong[0])]:#x}"
    )


@pytest.mark.parametrize("name", list(BLOCK_SCALED))
def test_fp4_tensor_cores_on_a_million_outputs(name: str) -> None:
    kind, shape = BLOCK_SCALED[name]
    peer = getattr(nv_ptx, kind)("RTX Blackwell", shape)
    acc = PRESETS[name]
    assert acc.scale is not None
    seed = list(BLOCK_SCALED).index(name)
    cases = nans = 0
    for batch in range(16):
        rng = np.random.default_rng([220, seed, batch])
        a, b = (random_codes(rng, "e2m1", (256, 64), False) for _ in "ab")
        blocks = (256, 64 // acc.block)
        scales = [random_scales(rng, acc.scale.name, blocks, batch % 2 == 0) for _ in "ab"]
        c = random_c(rng, (256, 256))
        tensors = [torch.from_numpy(scale).view(SCALES[acc.scale.name]) for scale in scales]
        want = peer(packed(a), packed(b).T, torch.from_numpy(c), tensors[0], tensors[1].T)
        got = matmul(a, b, a_fmt="e2m1", b_fmt="e2m1", acc=name, a_scale=scales[0], b_scale=scales[1], c=c)
        agree(got, want, f"{name}, batch {batch}")
        cases += got.size
        nans += int(np.isnan(got).sum())
    assert cases == 16 * OUTPUTS > 1_000_000
    assert nans > 1000


@pytest.mark.parametrize("pair", list(NARROW_SCALED))
def test_mxf8f6f4_tensor_cores(pair: tuple[str, str]) -> None:
    peer = nv_ptx.MMABlockScale("RTX Blackwell", NARROW_SCALED[pair])
    for batch in range(2):
        rng = np.random.default_rng([221, list(NARROW_SCALED).index(pair), batch])
        a, b = (random_codes(rng, fmt, (256, 32), batch == 1) for fmt in pair)
        scales = [random_scales(rng, "e8m0", (256, 1), batch == 1) for _ in "ab"]
        c = random_c(rng, (256, 256))
        tensors = [torch.from_numpy(scale).view(SCALES["e8m0"]) for scale in scales]
        left, right = operand_tensor(a, pair[0]), operand_tensor(b, pair[1]).T
        want = peer(left, right, torch.from_numpy(c), tensors[0], tensors[1].T)
        got = matmul(
            a, b, a_fmt=pair[0], b_fmt=pair[1], acc="rtx-blackwell-mxf8f6f4", a_scale=scales[0],
            b_scale=scales[1], c=c,
        )  # fmt: skip
        agree(got, want, f"{pair}, batch {batch}")


@pytest.mark.parametrize(("name", "how"), UNSCALED, ids=lambda x: x if isinstance(x, str) else x.shape)
def test_unscaled_tensor_cores(name: str, how: Instruction) -> None:
    peer: Any = getattr(nv_ptx, how.kind)(how.arch, how.shape)
    nans = 0
    for batch in range(2):
        rng = np.random.default_rng([222, [n for n, _ in UNSCALED].index(name), batch])
        a, b = (random_codes(rng, fmt, (192, how.depth), batch == 1) for fmt in how.pair)
        c = random_c(rng, (192, 192))
        if name.endswith("acc16"):
            with np.errstate(over="ignore"):
                c = c.astype(np.float16)
        want = peer(operand_tensor(a, how.pair[0]), operand_tensor(b, how.pair[1]).T, torch.from_numpy(c))
        got = matmul(a, b, a_fmt=how.pair[0], b_fmt=how.pair[1], acc=name, c=c.astype(np.float32))
        agree(got, want, f"{name} {how.shape}, batch {batch}")
        nans += int(np.isnan(got).sum())
    assert nans > 0


def test_every_tensor_core_preset_was_compared() -> None:
    compared = {*BLOCK_SCALED, "rtx-blackwell-mxf8f6f4", *(name for name, _ in UNSCALED)}
    assert {name for name in PRESETS if not name.startswith("mxdotp")} == compared
