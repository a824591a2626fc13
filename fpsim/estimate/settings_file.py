"""A file of settings, YAML: what is wrong in it is named by file, line and field.

    model: dit-xl/2
    resolution: 512
    steps: 20
    guidance: true
    on_array: [linear, attention]
    array: {rows: 32, cols: 32}
    unit: {acc_bits: 26}
    operands: {format: e2m1}
    layers:
      mlp.fc2: {activation_bits: 8}
    memory: {dram_bytes_per_cycle: 25.6}
    sram: {activation_bytes: 262144}

Fields are those of `fpsim.estimate.settings.Settings`, `ArrayConfig`, `UnitConfig`, `OperandSettings`,
`MemorySettings` and `SramSettings`; all may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.array.float_accumulator import FloatAccumulator
from fpsim.estimate.settings import MemorySettings, OperandSettings, Settings, SramSettings

T = TypeVar("T")
LONGEST_FILE = 1_000_000
_TOP = ("model", "resolution", "frames", "steps", "guidance", "library", "clock_mhz", "stimulus", "activity")
_SECTIONS = ("array", "unit", "operands", "layers", "memory", "sram")
_UNIT = tuple(field.name for field in fields(UnitConfig))


class SettingsError(ValueError):
    """What is wrong in a file of settings: file, line, field, what is legal."""


def load_settings(path: Path) -> Settings:
    """Read a file of settings.

    Raises:
        SettingsError: it cannot be read, is no YAML, or a field is unknown, doubled or not legal.
    """
    try:
        text = path.read_bytes()[:LONGEST_FILE].decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    return read_settings(text, path)


def read_settings(text: str, path: Path) -> Settings:
    """Settings from the text of a file; `path` is what messages call it, and where `units` is looked for."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise SettingsError(f"{path}{line}: no YAML: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: no YAML: {error}") from error
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return Settings()
    return _Reader(path).settings(node)


def _operands(sections: Mapping[str, Any]) -> list[tuple[str, str, OperandSettings]]:
    """(section, name in it, operands) of every layer that is given any."""
    named = [("layers", name, chosen) for name, chosen in sections.get("layers", {}).items()]
    return [*([("operands", "", sections["operands"])] if "operands" in sections else []), *named]


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def settings(self, node: yaml.Node) -> Settings:
        top = self._section(node, "", (*_TOP, "units", "on_array", *_SECTIONS))
        plain: dict[str, Any] = {name: self._value(top[name]) for name in _TOP if name in top}
        if "units" in top:
            value = self._value(top["units"])
            if not isinstance(value, str):
                raise self._wrong(top["units"], "units", f"units={value!r}: expected the name of a file")
            plain["units"] = self._path.parent / value
        if "on_array" in top:
            plain["on_array"] = self._names(top["on_array"], "on_array")
        settings = self._made(Settings, plain, top, "")
        sections: dict[str, Any] = {"config": self._config(top)}
        for name, kind in (("operands", OperandSettings), ("memory", MemorySettings), ("sram", SramSettings)):
            if name in top:
                sections[name] = self._filled(kind, top[name], name)
        if "layers" in top:
            sections["layers"] = self._layers(top["layers"], sections.get("operands", OperandSettings()))
        for section, name, chosen in _operands(sections):
            try:
                chosen.check(sections["config"].unit)
            except ValueError as error:
                node = self._section(top[section], section, None).get(name, top[section])
                found = self._section(node, section, None)
                raise self._refused(error, node, found, ".".join(filter(None, (section, name)))) from error
        return replace(settings, **sections)

    def _config(self, top: Mapping[str, yaml.Node]) -> ArrayConfig:
        unit = UnitConfig()
        if "unit" in top:
            found = self._section(top["unit"], "unit", _UNIT)
            values = {name: self._value(node) for name, node in found.items()}
            if "formats" in found:
                values["formats"] = self._names(found["formats"], "unit.formats")
            if "float_acc" in found:
                values["float_acc"] = self._filled(FloatAccumulator, found["float_acc"], "unit.float_acc")
            unit = self._made(UnitConfig, values, found, "unit")
        if "array" not in top:
            return ArrayConfig(unit=unit)
        found = self._section(top["array"], "array", ("rows", "cols"))
        values = {name: self._value(node) for name, node in found.items()}
        return self._made(lambda **sizes: ArrayConfig(**sizes, unit=unit), values, found, "array")

    def _layers(self, node: yaml.Node, usual: OperandSettings) -> dict[str, OperandSettings]:
        """Operands by layer; what one does not say is as for all."""
        found = self._section(node, "layers", None)
        return {
            name: self._filled(
                lambda **values: replace(usual, **values), inner, f"layers.{name}", OperandSettings
            )
            for name, inner in found.items()
        }

    def _filled(
        self, make: Callable[..., T], node: yaml.Node, section: str, known: type[Any] | None = None
    ) -> T:
        names = tuple(field.name for field in fields(known or make))  # type: ignore[arg-type]
        found = self._section(node, section, names)
        return self._made(make, {name: self._value(inner) for name, inner in found.items()}, found, section)

    def _made(
        self, make: Callable[..., T], values: dict[str, Any], nodes: Mapping[str, yaml.Node], section: str
    ) -> T:
        """Build a part; a value that it refuses, by name, is found in the file by that name."""
        try:
            return make(**values)
        except (TypeError, ValueError) as error:
            raise self._refused(error, next(iter(nodes.values())), nodes, section) from error

    def _refused(
        self, error: Exception, node: yaml.Node, nodes: Mapping[str, yaml.Node], section: str
    ) -> SettingsError:
        """The error at the line of the field that it names, else at the section's."""
        match = re.match(r"(\w+)=", str(error))
        name = match[1] if match and match[1] in nodes else ""
        return self._wrong(nodes.get(name, node), ".".join(filter(None, (section, name))), str(error))

    def _section(self, node: yaml.Node, section: str, known: tuple[str, ...] | None) -> dict[str, yaml.Node]:
        """The fields of a mapping, each once and known."""
        if not isinstance(node, yaml.MappingNode):
            raise self._wrong(node, section, "expected fields and values, `name: value`")
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                raise self._wrong(key, section, "expected a name before the colon")
            dotted = ".".join(filter(None, (section, name)))
            if name in found:
                raise self._wrong(
                    key, dotted, f"given twice, first on line {found[name].start_mark.line + 1}"
                )
            if known is not None and name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}? " if near else ""
                raise self._wrong(key, dotted, f"no such field; {hint}expected one of {', '.join(known)}")
            found[name] = value
        return found

    def _names(self, node: yaml.Node, field: str) -> tuple[str, ...]:
        value = self._value(node)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(node, field, f"{field}={value!r}: expected a list of names")
        return tuple(value)

    def _value(self, node: yaml.Node) -> Any:
        """What a node holds, as YAML's safe loader has it."""
        loader = yaml.SafeLoader("")
        try:
            return loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError, TypeError) as error:
            raise self._wrong(node, "", f"cannot be read: {error}") from error
        finally:
            loader.dispose()

    def _wrong(self, node: yaml.Node, field: str, message: str) -> SettingsError:
        short = field.rpartition(".")[2]
        message = message.removeprefix(f"{field}=").removeprefix(f"{short}=") if field else message
        named = f"{field}: " if field else ""
        return SettingsError(f"{self._path}:{node.start_mark.line + 1}: {named}{message}")
