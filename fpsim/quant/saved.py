"""Quantized models as files: one safetensors file, whose metadata say what the tensors are.

Quantizing may take minutes, and who verifies RTL wants the very codes that a table was measured with. So a
file holds everything that runs: every phase's floating-point model, programs and factors, and the machine's
configuration. A tensor that several phases share is stored once, and shared again when loaded. The manifest
has the hash of every tensor, and the file the hash of the manifest: what has been altered is refused.

What is stored is found by looking at the fields of the dataclasses in `PARTS`, so a new kind of program needs
one entry there, and its fields must be numbers, text, None, numpy arrays, or lists, dicts and parts of those.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
import torch
from numpy.typing import NDArray
from torch import nn

from fpsim.array.block import BlockProgram
from fpsim.array.config import ArrayConfig
from fpsim.array.grouped import GroupedProgram
from fpsim.array.half import HalfProgram
from fpsim.array.program import LayerProgram, StaticScale
from fpsim.array.released import ReleasedProgram
from fpsim.dit.files import DataFileError, write_whole
from fpsim.dit.model import DiT, DiTConfig
from fpsim.dit.video_model import VideoDiT, VideoDiTConfig
from fpsim.quant.recipe import Phase, QuantizedModel

VERSION = 1
_KEY = "fpsim"  # of the metadata; a single one, since their order in the file is not defined
_KIND = "quantized model"

# Classes by the names that files have for them: parts of a quantized model; models and configurations.
PARTS: dict[str, type[Any]] = {
    part.__name__: part
    for part in (
        QuantizedModel,
        Phase,
        LayerProgram,
        StaticScale,
        BlockProgram,
        GroupedProgram,
        HalfProgram,
        ReleasedProgram,
    )
}
MODELS: dict[str, tuple[type[nn.Module], type[Any]]] = {
    "DiT": (DiT, DiTConfig),
    "VideoDiT": (VideoDiT, VideoDiTConfig),
}


def save_quantized(path: Path, quantized: QuantizedModel, config: ArrayConfig) -> None:
    """Write a quantized model and the machine that it was made for, whole or not at all.

    The same model gives the same bytes.

    Raises:
        ValueError: a program that the machine cannot run, or something that files cannot hold; nothing is
            written then.
    """
    write_whole(path, quantized_bytes(quantized, config))


def quantized_bytes(quantized: QuantizedModel, config: ArrayConfig) -> bytes:
    """The bytes of the file that `save_quantized` writes."""
    for phase in quantized.phases:
        for program in phase.programs:
            program.check(config.unit)
    writer = _Writer()
    content = writer.encode(quantized, "")
    manifest = {
        "kind": _KIND,
        "version": VERSION,
        "config": config.to_dict(),
        "models": writer.models,
        "quantized": content,
        "tensors": writer.entries,
    }
    text = json.dumps({"manifest": manifest, "sha256": _manifest_hash(manifest)})
    return safetensors.numpy.save(writer.tensors, {_KEY: text})


def load_quantized(path: Path) -> tuple[QuantizedModel, ArrayConfig]:
    """Read what `save_quantized` wrote: the same bits.

    Raises:
        DataFileError: the file is missing, truncated, altered, or no file of this kind and version.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: missing; write it with save_quantized") from error
    try:
        return _parse(content)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RuntimeError) as error:
        raise DataFileError(f"{path}: {_described(error)}; save the quantized model again") from error


def _parse(content: bytes) -> tuple[QuantizedModel, ArrayConfig]:
    try:
        tensors = safetensors.numpy.load(content)
    except safetensors.SafetensorError as error:
        raise DataFileError(f"truncated, or not a safetensors file ({error})") from error
    manifest = _manifest(content)
    _check_tensors(tensors, manifest["tensors"])
    reader = _Reader({name: array.copy() for name, array in tensors.items()})
    reader.models = [reader.model(entry) for entry in manifest["models"]]
    quantized = reader.decode(manifest["quantized"])
    if not isinstance(quantized, QuantizedModel):
        raise DataFileError(f"holds a {type(quantized).__name__}, expected a QuantizedModel")
    return quantized, ArrayConfig.from_dict(manifest["config"])


def _described(error: Exception) -> str:
    return f"no {error} in the manifest" if isinstance(error, KeyError) else str(error)


def _manifest_hash(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest).encode()).hexdigest()


def _manifest(content: bytes) -> dict[str, Any]:
    """The manifest, verified. The file begins with 8 bytes of header length, then the header in JSON."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    metadata = header.get("__metadata__", {})
    if _KEY not in metadata:
        raise DataFileError("not a quantized model: no manifest in the metadata")
    wrapped = json.loads(metadata[_KEY])
    manifest: dict[str, Any] = wrapped["manifest"]
    if (found := _manifest_hash(manifest)) != wrapped["sha256"]:
        raise DataFileError(f"manifest altered, sha256 {found}, expected {wrapped['sha256']}")
    if (manifest["kind"], manifest["version"]) != (_KIND, VERSION):
        raise DataFileError(
            f"a {manifest['kind']} of version {manifest['version']}, expected a {_KIND} of version {VERSION}"
        )
    return manifest


def _entry(array: NDArray[Any]) -> dict[str, Any]:
    """What the manifest says of a tensor."""
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "sha256": digest}


def _check_tensors(tensors: dict[str, NDArray[Any]], entries: dict[str, dict[str, Any]]) -> None:
    """Raise DataFileError unless the tensors are exactly those of the manifest, bit by bit."""
    if faults := sorted(set(tensors) ^ set(entries)):
        raise DataFileError(f"tensors missing or foreign: {', '.join(faults[:4])}")
    for name, entry in entries.items():
        if (found := _entry(tensors[name])) != entry:
            raise DataFileError(f"tensor {name} altered: {found}, expected {entry}")


class _Writer:
    """Turns parts into JSON, and collects their arrays and models on the way."""

    def __init__(self) -> None:
        self.tensors: dict[str, NDArray[Any]] = {}
        self.entries: dict[str, dict[str, Any]] = {}
        self.models: list[dict[str, Any]] = []
        self._model_numbers: dict[int, int] = {}
        self._by_content: dict[str, str] = {}

    def encode(self, value: Any, path: str) -> Any:
        """JSON for a value; `path` names it, in errors and as a tensor.

        Raises:
            ValueError: a value that files cannot hold.
        """
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, np.ndarray):
            return {"tensor": self.tensor(value, path)}
        if isinstance(value, np.generic):
            return {"scalar": self.tensor(np.asarray(value), path)}
        if isinstance(value, list | tuple):
            items = [self.encode(item, _join(path, self._label(item, i))) for i, item in enumerate(value)]
            return {"tuple" if isinstance(value, tuple) else "list": items}
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return {"dict": {key: self.encode(item, _join(path, key)) for key, item in value.items()}}
        if isinstance(value, nn.Module):
            return {"model": self.model(value, path)}
        name = type(value).__name__
        if PARTS.get(name) is not type(value):
            raise ValueError(
                f"{path}={value!r}: a {name} cannot be saved, expected one of {', '.join(PARTS)}"
            )
        contents = {f.name: self.encode(getattr(value, f.name), _join(path, f.name)) for f in fields(value)}
        return {"part": name, "fields": contents}

    def tensor(self, array: NDArray[Any], path: str) -> str:
        """The name of the tensor with these contents; a new one is named by its path."""
        whole = np.ascontiguousarray(array).reshape(array.shape)
        entry = _entry(whole)
        name = self._by_content.setdefault(json.dumps(entry), path)
        if name == path:
            self.tensors[name], self.entries[name] = whole, entry
        return name

    def model(self, module: nn.Module, path: str) -> int:
        """The number of a model in the manifest."""
        if id(module) in self._model_numbers:
            return self._model_numbers[id(module)]
        name = type(module).__name__
        if name not in MODELS or MODELS[name][0] is not type(module):
            raise ValueError(f"{path}: a {name} cannot be saved, expected one of {', '.join(MODELS)}")
        number = len(self.models)
        state = {
            key: self.tensor(tensor.detach().numpy(), f"models.{number}.{key}")
            for key, tensor in module.state_dict().items()
        }
        self.models.append({"class": name, "config": asdict(module.config), "state": state})  # type: ignore[call-overload]
        self._model_numbers[id(module)] = number
        return number

    @staticmethod
    def _label(item: Any, index: int) -> str:
        """How an item of a list appears in paths: programs by their layer."""
        return str(getattr(item, "name", index))


class _Reader:
    """Builds parts from JSON, on tensors shared as the file shares them; the parts check themselves."""

    def __init__(self, tensors: dict[str, NDArray[Any]]) -> None:
        self.tensors = tensors
        self.models: list[nn.Module] = []

    def decode(self, tree: Any) -> Any:
        """The value that `_Writer.encode` turned into this."""
        if not isinstance(tree, dict):
            return tree
        kind, content = next(iter(tree.items()))
        if kind == "tensor":
            return self.tensors[content]
        if kind == "scalar":
            return self.tensors[content][()]
        if kind == "list":
            return [self.decode(item) for item in content]
        if kind == "tuple":
            return tuple(self.decode(item) for item in content)
        if kind == "dict":
            return {key: self.decode(item) for key, item in content.items()}
        if kind == "model":
            return self.models[content]
        if content not in PARTS:
            raise DataFileError(f"holds a {content}, expected one of {', '.join(PARTS)}")
        return PARTS[content](**{key: self.decode(item) for key, item in tree["fields"].items()})

    def model(self, entry: dict[str, Any]) -> nn.Module:
        """A model in evaluation mode, without gradients."""
        if entry["class"] not in MODELS:
            raise DataFileError(f"holds a model {entry['class']}, expected one of {', '.join(MODELS)}")
        build, shape = MODELS[entry["class"]]
        model = build(shape(**entry["config"]))
        state = {key: torch.from_numpy(self.tensors[name]) for key, name in entry["state"].items()}
        model.load_state_dict(state, strict=True)
        return model.eval().requires_grad_(False)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
