"""A golden set: one `$readmemh` file per port, and a manifest that says how to make it again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fpsim.array.config import ArrayConfig

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Field:
    """One port of a unit.

    Attributes:
        lane_bits: width of one lane in bits.
        lanes: lanes packed in one word, lane 0 in the lowest bits.
        direction: "in" (driven into the unit) or "out" (expected from it).
    """

    lane_bits: int
    lanes: int = 1
    direction: Literal["in", "out"] = "in"

    @property
    def width_bits(self) -> int:
        """Width of one word in bits."""
        return self.lane_bits * self.lanes


@dataclass(frozen=True)
class GoldenSet:
    """The vectors of one unit.

    Attributes:
        unit: the unit's name; the RTL module is `fpsim_<unit>`.
        config: the configuration that the vectors belong to.
        fields: ports by name (without `_i`, `_o`).
        beats: one non-negative integer per line and field; lines of one field are in order of time.
        seed: seed of everything random that went into the vectors.
        source: where the data comes from, in words.
        command: the command that makes the set again.
        extra: anything else worth keeping (layer, timestep, shapes), JSON data.
    """

    unit: str
    config: ArrayConfig
    fields: dict[str, Field]
    beats: dict[str, list[int]]
    seed: int
    source: str
    command: str
    extra: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if set(self.fields) != set(self.beats):
            raise ValueError(f"beats: expected the fields {sorted(self.fields)}, got {sorted(self.beats)}")
        for name, spec in self.fields.items():
            words = self.beats[name]
            if not words:
                raise ValueError(f"beats[{name!r}]: expected at least one word, got none")
            for line, word in enumerate(words):
                if not 0 <= word < 1 << spec.width_bits:
                    raise ValueError(f"beats[{name!r}][{line}]={word:#x}: expected {spec.width_bits} bits")


def pack_lanes(values: list[int], lane_bits: int) -> int:
    """One word out of lanes, lane 0 lowest; negative lanes as two's complement of `lane_bits` bits."""
    word = 0
    for lane, value in enumerate(values):
        word |= (int(value) & ((1 << lane_bits) - 1)) << (lane * lane_bits)
    return word


def unpack_lanes(word: int, lane_bits: int, lanes: int, *, signed: bool = False) -> list[int]:
    """The lanes of a word, lane 0 first; as two's complement where `signed`."""
    mask = (1 << lane_bits) - 1
    values = [(word >> (lane * lane_bits)) & mask for lane in range(lanes)]
    if signed:
        values = [v - (1 << lane_bits) if v >> (lane_bits - 1) else v for v in values]
    return values


def write(path: str | Path, golden: GoldenSet) -> dict[str, Any]:
    """Write a golden set into the folder `path`, whole or not at all, and return its manifest.

    An existing golden set there is replaced; any other existing folder is refused.

    Raises:
        ValueError: `path` exists and is not a golden set.
        OSError: the folder cannot be written (nothing is left behind).
    """
    target = Path(path)
    if target.exists() and not (target / MANIFEST).is_file():
        raise ValueError(f"path={str(target)!r}: exists and is not a golden set; expected a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        manifest = _write_files(staging, golden)
        staging.chmod(0o755)
        _replace_folder(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def _write_files(folder: Path, golden: GoldenSet) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    for name, spec in golden.fields.items():
        digits = (spec.width_bits + 3) // 4
        text = "".join(f"{word:0{digits}x}\n" for word in golden.beats[name])
        (folder / f"{name}.hex").write_text(text, encoding="ascii")
        entries[name] = {
            "file": f"{name}.hex",
            "width_bits": spec.width_bits,
            "lane_bits": spec.lane_bits,
            "lanes": spec.lanes,
            "direction": spec.direction,
            "count": len(golden.beats[name]),
            "sha256": hashlib.sha256(text.encode("ascii")).hexdigest(),
        }
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "unit": golden.unit,
        "config": golden.config.to_dict(),
        "seed": golden.seed,
        "source": golden.source,
        "command": golden.command,
        "extra": golden.extra,
        "fields": entries,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _replace_folder(staging: Path, target: Path) -> None:
    if not target.exists():
        os.replace(staging, target)
        return
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    os.replace(target, old)
    os.replace(staging, target)
    shutil.rmtree(old)


def read(path: str | Path) -> GoldenSet:
    """Read a golden set and verify every file's hash, count and width.

    Raises:
        FileNotFoundError: no golden set there.
        ValueError: another schema version, a missing field, a truncated or altered file; the message
            names the file and the command that makes it again.
    """
    folder = Path(path)
    manifest_file = folder / MANIFEST
    if not manifest_file.is_file():
        raise FileNotFoundError(f"path={str(folder)!r}: no golden set there (no {MANIFEST})")
    try:
        manifest = json.loads(manifest_file.read_text(encoding="utf-8"))
        version = manifest["schema_version"]
        if version != SCHEMA_VERSION:
            raise ValueError(f"schema version {version}, expected {SCHEMA_VERSION}")
        fields = {
            name: Field(e["lane_bits"], e["lanes"], e["direction"]) for name, e in manifest["fields"].items()
        }
        beats = {name: _read_words(folder, e, manifest["command"]) for name, e in manifest["fields"].items()}
        return GoldenSet(
            unit=manifest["unit"],
            config=ArrayConfig.from_dict(manifest["config"]),
            fields=fields,
            beats=beats,
            seed=manifest["seed"],
            source=manifest["source"],
            command=manifest["command"],
            extra=manifest["extra"],
            manifest=manifest,
        )
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{manifest_file}: not a golden manifest ({type(error).__name__}: {error})"
        ) from error
    except ValueError as error:
        raise ValueError(f"{manifest_file}: {error}") from error


def _read_words(folder: Path, entry: dict[str, Any], command: str) -> list[int]:
    file = folder / entry["file"]
    again = f"make it again with: {command}"
    if file.parent != folder or not file.is_file():
        raise ValueError(f"{entry['file']} is missing; {again}")
    data = file.read_bytes()
    lines = data.count(b"\n")
    if lines != entry["count"] or not data.endswith(b"\n"):
        raise ValueError(f"{entry['file']} is truncated: {lines} of {entry['count']} lines; {again}")
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise ValueError(f"{entry['file']} was altered: its sha256 is not the manifest's; {again}")
    return [int(line, 16) for line in data.decode("ascii").split()]
