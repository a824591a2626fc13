"""Data files and checkpoints: written whole, verified when read, refused when damaged."""

from __future__ import annotations

import json
import re
import shutil
from functools import partial
from pathlib import Path

import pytest
import safetensors.torch
import torch

from fpsim.dit.checkpoint import (
    dit_bytes,
    load_dit,
    load_image_dit,
    load_noise,
    load_trained,
    noise_bytes,
    save_dit,
)
from fpsim.dit.domains import DOMAINS, get_domain
from fpsim.dit.files import DATA_DIR, MANIFEST, DataFileError, read_verified, write_set, write_whole
from fpsim.dit.metrics import load_metric
from fpsim.dit.model import DiT, DiTConfig

CONFIG = DiTConfig(hidden=16, depth=1, heads=2)
IMAGES = [domain for domain in DOMAINS.values() if domain.kind == "image"]
LOADERS = {
    file: load
    for domain in IMAGES
    for file, load in (
        (domain.checkpoint_file, partial(load_trained, domain.name)),
        (domain.metric_file, partial(load_metric, domain.name)),
        (domain.noise_file, partial(load_noise, domain=domain.name)),
    )
}


@pytest.fixture
def model() -> DiT:
    torch.manual_seed(0)
    return DiT(CONFIG)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A copy of the committed data."""
    return Path(shutil.copytree(DATA_DIR, tmp_path / "data"))


def load(name: str, directory: Path) -> object:
    return LOADERS[name](directory=directory)


def test_save_and_load_round_trip_to_fp16(model: DiT, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.safetensors"
    save_dit(path, model, {"seed": "3"})
    loaded, metadata = load_dit(path)
    assert loaded.config == CONFIG
    assert metadata == {"seed": "3"}
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]


def test_a_failing_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_manifest_vouches_for_what_was_written(tmp_path: Path) -> None:
    write_set(tmp_path, {"abc": b"abc"})
    entry = json.loads((tmp_path / MANIFEST).read_text())["files"]["abc"]
    # SHA-256 of "abc": FIPS 180-4 example.
    assert entry["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert read_verified("abc", tmp_path) == b"abc"


def test_manifest_lists_exactly_the_committed_binary_files() -> None:
    listed = json.loads((DATA_DIR / MANIFEST).read_text())["files"]
    domains = DOMAINS.values()
    assert set(listed) == {name for d in domains for name in (d.checkpoint_file, d.metric_file, d.noise_file)}
    assert {p.name for p in DATA_DIR.iterdir()} == {*listed, MANIFEST, *(d.card_file for d in domains)}


def test_writing_one_set_keeps_the_entries_of_another(tmp_path: Path) -> None:
    write_set(tmp_path, {"a": b"first", "b": b"kept"})
    write_set(tmp_path, {"a": b"second", "c": b"new"})
    assert [read_verified(name, tmp_path) for name in "abc"] == [b"second", b"kept", b"new"]
    (tmp_path / MANIFEST).write_text("[]")
    with pytest.raises(DataFileError, match="not a manifest"):
        write_set(tmp_path, {"d": b"refused"})
    assert not (tmp_path / "d").exists()


def test_an_unknown_domain_is_named() -> None:
    for load in (load_trained, load_image_dit, load_metric):
        with pytest.raises(ValueError, match="domain='faces': expected one of digits"):
            load("faces")
    with pytest.raises(ValueError, match="domain='faces'"):
        load_noise(1, "faces")


@pytest.mark.parametrize("name", LOADERS)
class TestDamage:
    def test_missing(self, name: str, data: Path) -> None:
        (data / name).unlink()
        with pytest.raises(DataFileError, match=rf"{name}: missing; .*python -m fpsim\.dit\.train"):
            load(name, data)

    def test_truncated(self, name: str, data: Path) -> None:
        content = (data / name).read_bytes()
        (data / name).write_bytes(content[:-1])
        with pytest.raises(DataFileError, match=f"{len(content) - 1} bytes, expected {len(content)}"):
            load(name, data)

    def test_one_flipped_bit(self, name: str, data: Path) -> None:
        content = bytearray((data / name).read_bytes())
        content[len(content) // 2] ^= 1
        (data / name).write_bytes(content)
        with pytest.raises(DataFileError, match=f"{name}: altered, sha256 [0-9a-f]+, expected"):
            load(name, data)

    def test_no_manifest(self, name: str, data: Path) -> None:
        (data / MANIFEST).unlink()
        with pytest.raises(DataFileError, match=f"{MANIFEST}: missing"):
            load(name, data)

    def test_manifest_without_the_file(self, name: str, data: Path) -> None:
        (data / MANIFEST).write_text('{"version": 1, "files": {}}')
        with pytest.raises(DataFileError, match=f"no valid entry for {name}"):
            load(name, data)

    def test_vouched_nonsense(self, name: str, tmp_path: Path) -> None:
        write_set(tmp_path, {name: b"nonsense" * 10})
        with pytest.raises(DataFileError, match=name):
            load(name, tmp_path)


def test_keys_and_shapes_must_be_exact(model: DiT, tmp_path: Path) -> None:
    state = {name: value.clone() for name, value in model.state_dict().items()}
    bias = state.pop("blocks.0.mlp.fc1.bias")
    with pytest.raises(DataFileError, match=r"missing blocks\.0\.mlp\.fc1\.bias"):
        dit_bytes(state, CONFIG, {})
    with pytest.raises(DataFileError, match=r"fc1\.bias has shape \(63,\), expected \(64,\)"):
        dit_bytes({**state, "blocks.0.mlp.fc1.bias": bias[1:]}, CONFIG, {})
    with pytest.raises(DataFileError, match="unexpected extra"):
        dit_bytes({**model.state_dict(), "extra": bias}, CONFIG, {})
    with pytest.raises(ValueError, match=r"not finite in FP16: blocks\.0\.mlp\.fc1\.bias"):
        dit_bytes({**state, "blocks.0.mlp.fc1.bias": bias + 1e6}, CONFIG, {})


def test_foreign_files_are_refused(model: DiT, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    with pytest.raises(DataFileError, match="missing"):
        load_dit(path)
    for content, fault in (
        (b"", "truncated or not a safetensors file"),
        (dit_bytes(model.state_dict(), CONFIG, {})[:-2], "truncated"),
        (safetensors.torch.save({"a": torch.zeros(1)}), "no valid DiTConfig"),
        (safetensors.torch.save({"a": torch.zeros(1)}, {"config": '{"depth": 0}'}), "depth=0"),
        (safetensors.torch.save({"a": torch.zeros(1)}, {"config": "{}"}), "missing blocks"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataFileError, match=re.escape(fault)):
            load_dit(path)
    state = {name: value.half() for name, value in model.state_dict().items()}
    state["pos_embed"] = state["pos_embed"] * torch.nan
    path.write_bytes(safetensors.torch.save(state, {"config": '{"hidden": 16, "depth": 1, "heads": 2}'}))
    with pytest.raises(DataFileError, match="not finite: pos_embed"):
        load_dit(path)


def test_noise_is_standard_normal_with_labels_in_turn() -> None:
    stored = load_noise()
    assert stored.noise.shape == (1000, 1, 8, 8)
    assert stored.noise.dtype == torch.float32
    assert stored.labels.tolist() == list(range(10)) * 100
    # 64,000 values: five standard errors of the mean and of the variance.
    assert abs(stored.noise.mean().item()) < 5 / 64_000**0.5
    assert abs(stored.noise.var().item() - 1) < 5 * (2 / 64_000) ** 0.5
    assert torch.equal(load_noise(7).noise, stored.noise[:7])
    digits = get_domain("digits")
    assert noise_bytes(0, digits) == (DATA_DIR / digits.noise_file).read_bytes()
    assert noise_bytes(0, digits) != noise_bytes(1, digits)
    for count in (0, 1001):
        with pytest.raises(ValueError, match=f"count={count}"):
            load_noise(count)
