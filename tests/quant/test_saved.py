"""A quantized model comes back from its file bit by bit; a file that is not as it was written is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.program import LayerProgram
from fpsim.dit.files import DataFileError
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.quant.calibration import observe_model
from fpsim.quant.execute import on_machine
from fpsim.quant.naive import NaiveStatic
from fpsim.quant.recipe import Phase, QuantizedModel
from fpsim.quant.rotated import RotatedPerToken
from fpsim.quant.saved import load_quantized, quantized_bytes, save_quantized
from fpsim.quant.scales import OperandChoice, program_layer

CONFIG = ArrayConfig(rows=8, unit=UnitConfig(guard_bits=3, acc_bits=30))
NOISE = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(2)


@pytest.fixture(scope="module")
def quantized() -> QuantizedModel:
    """Two phases that share the second one's weights, one with static scales, one rotated, with factors."""
    torch.manual_seed(6)
    dit = DiT(DiTConfig(hidden=64, depth=1, heads=2))
    with torch.no_grad():
        for parameter in dit.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    dit.eval().requires_grad_(False)
    calibration = observe_model(dit, NOISE, LABELS, steps=2)
    coarse = NaiveStatic().quantize(dit, calibration, CONFIG).phases[0]
    fine = RotatedPerToken().quantize(dit, calibration, CONFIG).phases[0]
    wide = program_layer(
        "blocks.0.mlp.fc2",
        np.random.default_rng(1).standard_normal((64, 256)),
        np.zeros(64),
        OperandChoice("int8", "int6", weight_zero=True, act_zero=True),
    )
    late = replace(fine, last=0, first=499, programs=[*fine.programs[:-1], wide])
    middle = replace(fine, last=500, first=600)
    factors = {"blocks.0.attn.qkv": np.linspace(0.5, 2, 64, dtype=np.float32)}
    return QuantizedModel("mixed", [replace(coarse, last=601), middle, replace(late, input_scale=factors)])


@pytest.fixture
def path(quantized: QuantizedModel, tmp_path: Path) -> Path:
    file = tmp_path / "model.safetensors"
    save_quantized(file, quantized, CONFIG)
    return file


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    return bool(a == b and type(a) is type(b))


def test_everything_comes_back(quantized: QuantizedModel, path: Path) -> None:
    loaded, config = load_quantized(path)
    assert config == CONFIG
    assert loaded.recipe == "mixed"
    for old, new in zip(quantized.phases, loaded.phases, strict=True):
        assert (old.first, old.last) == (new.first, new.last)
        assert old.input_scale.keys() == new.input_scale.keys()
        assert all(same(old.input_scale[name], new.input_scale[name]) for name in old.input_scale)
        for mine, its in zip(old.programs, new.programs, strict=True):
            assert type(mine) is type(its) is LayerProgram
            assert all(same(getattr(mine, f.name), getattr(its, f.name)) for f in fields(LayerProgram))
        its_state = new.model.state_dict()
        assert all(torch.equal(value, its_state[key]) for key, value in old.model.state_dict().items())
        assert not new.model.training
    assert sum(len(phase.programs) for phase in loaded.phases) == 12


def test_the_loaded_model_computes_the_same_bits(quantized: QuantizedModel, path: Path) -> None:
    loaded, config = load_quantized(path)
    for timestep in (900, 550, 100):
        t = torch.full((2,), timestep)
        with torch.inference_mode():
            before, after = (
                on_machine(quantized, CONFIG)(NOISE, t, LABELS),
                on_machine(loaded, config)(NOISE, t, LABELS),
            )
        assert torch.equal(before, after)


def test_what_phases_share_is_stored_once_and_shared_again(quantized: QuantizedModel, path: Path) -> None:
    loaded, _ = load_quantized(path)
    middle, late = (phase.programs for phase in loaded.phases[1:])
    for shared, its in zip(middle[:-1], late[:-1], strict=True):
        assert isinstance(shared, LayerProgram)
        assert isinstance(its, LayerProgram)
        assert shared.weight_codes is its.weight_codes
    assert loaded.phases[1].model is loaded.phases[2].model
    one = len(quantized_bytes(QuantizedModel.single("one", middle_model(quantized), []), CONFIG))
    two = len(quantized_bytes(QuantizedModel("two", list(quantized.phases)), CONFIG))
    codes = sum(64 * k for k in (3 * 64, 64, 4 * 64, 4 * 64))
    assert two < 2 * one + 3 * codes + 30_000  # two models (one folded), three sets of codes, the manifest


def middle_model(quantized: QuantizedModel) -> DiT:
    return quantized.phases[1].model


def test_the_same_model_gives_the_same_bytes(quantized: QuantizedModel, path: Path) -> None:
    assert quantized_bytes(quantized, CONFIG) == path.read_bytes()
    loaded, config = load_quantized(path)
    assert quantized_bytes(loaded, config) == path.read_bytes()


def test_other_models_and_scalars_are_kept(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = VideoDiT(VideoDiTConfig(hidden=32, depth=1, heads=1, patch=8, image=8, frames=2)).eval()
    quantized = QuantizedModel("video", [Phase(999, 0, model, [])])  # type: ignore[arg-type]
    save_quantized(tmp_path / "video", quantized, ArrayConfig())
    loaded, _ = load_quantized(tmp_path / "video")
    assert isinstance(loaded.model, VideoDiT)
    assert all(torch.equal(v, loaded.model.state_dict()[k]) for k, v in model.state_dict().items())


Header = dict[str, Any]


def rewrite(path: Path, change: Callable[[Header, bytearray], None]) -> None:
    """Change the parsed header and the data behind it, and put the file together again."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header, data = json.loads(content[8:start]), bytearray(content[start:])
    change(header, data)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(data))


def in_manifest(change: Callable[[Header], None]) -> Callable[[Header, bytearray], None]:
    def apply(header: Header, _: bytearray) -> None:
        wrapped = json.loads(header["__metadata__"]["fpsim"])
        change(wrapped["manifest"])
        header["__metadata__"]["fpsim"] = json.dumps(wrapped)

    return apply


def flip_a_weight(header: Header, data: bytearray) -> None:
    data[header["phases.1.programs.blocks.0.mlp.fc1.weight_codes"]["data_offsets"][0] + 77] ^= 1


def swap_two_tensors(header: Header, _: bytearray) -> None:
    a, b = "models.0.blocks.0.mlp.fc1.weight", "models.0.blocks.0.mlp.fc2.weight"
    header[a]["data_offsets"], header[b]["data_offsets"] = (
        header[b]["data_offsets"],
        header[a]["data_offsets"],
    )


def transpose_a_tensor(header: Header, _: bytearray) -> None:
    header["models.0.blocks.0.mlp.fc1.weight"]["shape"].reverse()


def rename_a_tensor(header: Header, _: bytearray) -> None:
    header["another"] = header.pop("models.0.blocks.0.mlp.fc1.weight")


def without_manifest(header: Header, _: bytearray) -> None:
    del header["__metadata__"]


def reverse_the_programs(manifest: Header) -> None:
    phases = manifest["quantized"]["fields"]["phases"]["list"]
    phases[0]["fields"]["programs"]["list"].reverse()


def change_a_scalar(manifest: Header) -> None:
    manifest["config"]["rows"] = 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (flip_a_weight, r"tensor phases\.1\.programs\.blocks\.0\.mlp\.fc1\.weight_codes altered"),
        (swap_two_tensors, r"tensor models\.0\.blocks\.0\.mlp\.fc1\.weight altered"),
        (transpose_a_tensor, r"fc1\.weight altered: .*'shape': \[64, 256\].*expected .*\[256, 64\]"),
        (rename_a_tensor, r"tensors missing or foreign: another, models\.0\.blocks\.0\.mlp\.fc1\.weight"),
        (without_manifest, r"no manifest in the metadata"),
        (in_manifest(reverse_the_programs), r"manifest altered, sha256"),
        (in_manifest(change_a_scalar), r"manifest altered, sha256"),
    ],
)
def test_what_was_altered_is_refused(
    change: Callable[[Header, bytearray], None], message: str, path: Path
) -> None:
    rewrite(path, change)
    with pytest.raises(DataFileError, match=message):
        load_quantized(path)


def test_every_lost_or_added_byte_is_refused(path: Path) -> None:
    content = path.read_bytes()
    lengths = [*range(0, len(content), 4999), len(content) - 1]
    for length in lengths:
        path.write_bytes(content[:length])
        with pytest.raises(DataFileError, match=str(path)):
            load_quantized(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(DataFileError, match="truncated, or not a safetensors file"):
        load_quantized(path)


def test_every_flipped_byte_is_refused(path: Path) -> None:
    """A sample of positions all over the file: header, manifest and tensors."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    rng = np.random.default_rng(5)
    for position in [
        *rng.integers(0, 8, 4),
        *rng.integers(8, start, 40),
        *rng.integers(start, len(content), 40),
    ]:
        damaged = bytearray(content)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(damaged))
        with pytest.raises(DataFileError, match=str(path)):
            load_quantized(path)


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"absent: missing; write it with save_quantized"):
        load_quantized(tmp_path / "absent")
    text = tmp_path / "text"
    text.write_text("not a model")
    with pytest.raises(DataFileError, match="not a safetensors file"):
        load_quantized(text)
    other = tmp_path / "other"
    other.write_bytes(safetensors.numpy.save({"x": np.zeros(3)}, {"source": "elsewhere"}))
    with pytest.raises(DataFileError, match="no manifest in the metadata"):
        load_quantized(other)


def test_what_cannot_be_saved_is_named_and_nothing_is_written(
    quantized: QuantizedModel, tmp_path: Path
) -> None:
    file = tmp_path / "model"

    class Another(DiT):
        pass

    foreign = QuantizedModel.single("foreign", Another(DiTConfig(hidden=64, depth=1, heads=2)), [])
    with pytest.raises(ValueError, match=r"phases\.0\.model: a Another cannot be saved, expected one of DiT"):
        save_quantized(file, foreign, CONFIG)
    phase = replace(quantized.phases[0], last=0, input_scale={"x": 1j})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"input_scale\.x=.*: a complex cannot be saved"):
        save_quantized(file, QuantizedModel("broken", [phase]), CONFIG)
    with pytest.raises(ValueError, match="format='e2m1'"):
        save_quantized(file, quantized, ArrayConfig(unit=UnitConfig(formats=("int4",))))
    assert not list(tmp_path.iterdir())
