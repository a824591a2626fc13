"""Checkpoints of the transformers: FP16 safetensors with the configuration in the metadata.

The weights are stored in FP16 and used in FP32: the upcast weights are what "FP32 baseline" means here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from fpsim.dit.domains import DEFAULT_DOMAIN, Domain, get_domain
from fpsim.dit.files import DATA_DIR, DataFileError, read_verified, write_whole
from fpsim.dit.model import DiT, DiTConfig

NOISE_IMAGES = 1000


@dataclass(frozen=True)
class SampleNoise:
    """Starting points of a workload, the same on every machine.

    Attributes:
        noise: float32 (N, C, S, S), standard normal rounded to FP16.
        labels: int64 (N,), the classes in turn; (N, c) where a condition has several parts.
    """

    noise: Tensor
    labels: Tensor


def dit_bytes(
    state: Mapping[str, Tensor],
    config: Any,
    metadata: Mapping[str, str],
    build: Callable[[Any], nn.Module] = DiT,
) -> bytes:
    """A checkpoint as the bytes of a safetensors file.

    Args:
        state: the model's state dict; stored as FP16.
        config: shape of the model, kept as JSON under `config` in the metadata.
        metadata: further text, such as seed and steps.
        build: makes the model of a configuration.

    Raises:
        ValueError: if a weight is not finite in FP16, or keys or shapes are not those of the configuration.
    """
    _check_state(dict(state), config, build, "state")
    halves = {name: value.detach().to(torch.float16).contiguous() for name, value in state.items()}
    broken = [name for name, value in halves.items() if not bool(value.isfinite().all())]
    if broken:
        raise ValueError(f"state: not finite in FP16: {', '.join(broken)}")
    return safetensors.torch.save(halves, {"config": json.dumps(asdict(config)), **metadata})


def save_dit(path: Path, model: DiT, metadata: Mapping[str, str] | None = None) -> None:
    """Write a model as an FP16 checkpoint, whole or not at all; `load_dit` reads it. Weights are rounded."""
    write_whole(path, dit_bytes(model.state_dict(), model.config, metadata or {}))


def _check_state(
    state: dict[str, Tensor], config: Any, build: Callable[[Any], nn.Module], source: str
) -> None:
    """Raise ValueError unless keys and shapes are exactly those of the configuration."""
    with torch.device("meta"):
        expected = {name: tuple(value.shape) for name, value in build(config).state_dict().items()}
    faults = [f"missing {name}" for name in sorted(set(expected) - set(state))]
    faults += [f"unexpected {name}" for name in sorted(set(state) - set(expected))]
    faults += [
        f"{name} has shape {tuple(state[name].shape)}, expected {shape}"
        for name, shape in expected.items()
        if name in state and tuple(state[name].shape) != shape
    ]
    if faults:
        more = f" and {len(faults) - 4} more" if len(faults) > 4 else ""
        raise DataFileError(f"{source}: does not fit {config}: {'; '.join(faults[:4])}{more}")


def _metadata(content: bytes, source: str) -> dict[str, str]:
    """The metadata of a safetensors file: 8 bytes of header length, then a JSON header."""
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return {str(k): str(v) for k, v in header.get("__metadata__", {}).items()}
    except (ValueError, AttributeError) as error:
        raise DataFileError(f"{source}: no safetensors header: {error}") from error


def _tensors(content: bytes, source: str) -> dict[str, Tensor]:
    try:
        return safetensors.torch.load(content)
    except safetensors.SafetensorError as error:
        raise DataFileError(f"{source}: truncated or not a safetensors file: {error}") from error


def _parse(
    content: bytes, source: str, shape: type[Any], build: Callable[[Any], nn.Module]
) -> tuple[nn.Module, dict[str, str]]:
    """The model of a checkpoint whose configuration is of the class `shape`."""
    state = _tensors(content, source)
    metadata = _metadata(content, source)
    try:
        config = shape(**json.loads(metadata.pop("config")))
    except (KeyError, TypeError, ValueError) as error:
        raise DataFileError(
            f"{source}: no valid {shape.__name__} under `config` in the metadata: {error}"
        ) from error
    _check_state(state, config, build, source)
    broken = [name for name, value in state.items() if not bool(value.isfinite().all())]
    if broken:
        raise DataFileError(f"{source}: not finite: {', '.join(broken)}")
    model = build(config)
    model.load_state_dict({name: value.float() for name, value in state.items()}, strict=True)
    return model.eval().requires_grad_(False), metadata


def _parse_dit(content: bytes, source: str) -> tuple[DiT, dict[str, str]]:
    model, metadata = _parse(content, source, DiTConfig, DiT)
    assert isinstance(model, DiT)
    return model, metadata


def load_dit(path: Path) -> tuple[DiT, dict[str, str]]:
    """Load a checkpoint that `save_dit` wrote.

    Returns:
        The model in FP32, in evaluation mode, without gradients, and the metadata other than `config`.

    Raises:
        DataFileError: if the file is missing, damaged, or its keys, shapes or configuration do not fit.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: missing; write a checkpoint there with save_dit") from error
    return _parse_dit(content, str(path))


def load_trained(domain: str, directory: Path = DATA_DIR) -> tuple[nn.Module, dict[str, str]]:
    """Load the committed model of any domain, verified by hash.

    Args:
        domain: a name out of `DOMAINS`.
        directory: folder with the checkpoint and its manifest.

    Returns:
        The model in FP32, in evaluation mode, without gradients, called as eps(x, t, condition); the
        metadata tell seed, steps, batch, lr, loss and processor time of the training.

    Raises:
        ValueError: an unknown domain.
        DataFileError: if a file is missing, truncated or altered; says how to get it back.
    """
    own = get_domain(domain)
    content = read_verified(own.checkpoint_file, directory)
    return _parse(content, str(directory / own.checkpoint_file), type(own.config), own.build)


def load_image_dit(domain: str = DEFAULT_DOMAIN, directory: Path = DATA_DIR) -> tuple[DiT, dict[str, str]]:
    """As `load_trained`, of an image domain.

    Raises:
        ValueError: also if the domain's model is no `DiT`.
    """
    model, metadata = load_trained(domain, directory)
    if not isinstance(model, DiT):
        raise ValueError(f"domain={domain!r}: its model is a {type(model).__name__}, expected a DiT")
    return model, metadata


def load_digits_dit(directory: Path = DATA_DIR) -> tuple[DiT, dict[str, str]]:
    """The committed digits model, as `load_image_dit`."""
    return load_image_dit(DEFAULT_DOMAIN, directory)


def noise_bytes(seed: int, domain: Domain) -> bytes:
    """The starting points as the bytes of a safetensors file: FP16 noise, UINT8 labels."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn((NOISE_IMAGES, *domain.shape), generator=generator).to(torch.float16)
    labels = domain.conditions(NOISE_IMAGES).to(torch.uint8)
    return safetensors.torch.save({"noise": noise, "labels": labels}, {"seed": str(seed)})


def load_noise(
    count: int = NOISE_IMAGES, domain: str = DEFAULT_DOMAIN, directory: Path = DATA_DIR
) -> SampleNoise:
    """Load the first `count` of a domain's 1000 stored starting points, verified by hash.

    Raises:
        ValueError: if count is not 1 to 1000, or the domain is unknown.
        DataFileError: if the file is missing, truncated or altered.
    """
    if not 1 <= count <= NOISE_IMAGES:
        raise ValueError(f"count={count!r}: expected 1 to {NOISE_IMAGES}")
    name = get_domain(domain).noise_file
    tensors = _tensors(read_verified(name, directory), str(directory / name))
    return SampleNoise(tensors["noise"][:count].float(), tensors["labels"][:count].long())
