"""Files of settings: what they say, and that what is wrong is named by line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from fpsim.array.config import ArrayConfig, UnitConfig
from fpsim.estimate.settings import MemorySettings, OperandSettings, Settings, SramSettings
from fpsim.estimate.settings_file import SettingsError, load_settings, read_settings
from fpsim.estimate.shapes import Operands, dit
from fpsim.estimate.traffic import Sram

FILE = Path("a.yaml")
EVERYTHING = """\
model: pixart-sigma
resolution: 1024
frames: null
steps: 20
guidance: true
library: sky130hd
units: mine.json
clock_mhz: 500
stimulus: uniform
on_array: [linear, attention]
array:
  rows: 32
  cols: 8
unit:
  formats: [e2m1, int4]
  acc_bits: 24
  float_acc: {exp_bits: 5, man_bits: 10}
operands: {format: int4, weight_bits: 4, static: true}
layers:
  "attn.*": {activation_bits: 8}
  mlp.fc2:
    format: e2m1
    block: 32
memory: {dram_bytes_per_cycle: 12.8, weight_port_bits: 64, double_buffered: false, activations_in_dram: true}
sram: {activation_bytes: 65536}
"""


def test_a_file_may_say_everything() -> None:
    settings = read_settings(EVERYTHING, Path("folder/a.yaml"))
    assert (settings.model, settings.resolution, settings.frames) == ("pixart-sigma", 1024, None)
    assert (settings.steps, settings.guidance, settings.passes_per_image) == (20, True, 40)
    assert (settings.library, settings.units) == ("sky130hd", Path("folder/mine.json"))
    assert (settings.clock_mhz, settings.stimulus) == (500, "uniform")
    assert settings.on_array == ("linear", "attention")
    unit = settings.config.unit
    assert (settings.config.rows, settings.config.cols, unit.acc_bits) == (32, 8, 24)
    assert unit.formats == ("e2m1", "int4")
    assert (unit.float_acc.exp_bits, unit.float_acc.man_bits) == (5, 10)
    assert settings.memory == MemorySettings(12.8, None, 64, False, True)
    assert settings.sram == SramSettings(activation_bytes=65536)
    usual = OperandSettings("int4", static=True)
    assert settings.operands == usual
    assert settings.layers == {
        "attn.*": OperandSettings("int4", activation_bits=8, static=True),
        "mlp.fc2": OperandSettings("e2m1", block=32, static=True),
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_is_the_defaults(text: str) -> None:
    settings = read_settings(text, FILE)
    assert (settings.model, settings.config, settings.memory) == ("dit-xl/2", ArrayConfig(), MemorySettings())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "model: digits\nresolution: big\n",
            "a.yaml:2: resolution: 'big': expected an integer from 1 to 8192",
        ),
        ("steps: 0", "a.yaml:1: steps: 0: expected an integer from 1 to 1000"),
        ("steps: 2.0", "a.yaml:1: steps: 2.0: expected an integer"),
        ("guidance: maybe", "a.yaml:1: guidance: 'maybe': expected true or false"),
        ("clock_mhz: -1", "a.yaml:1: clock_mhz: -1: expected a number above 0"),
        ("stimulus: real", "a.yaml:1: stimulus: 'real': expected one of gaussian, uniform, file"),
        ("on_array: linear", "a.yaml:1: on_array: 'linear': expected a list of names"),
        (
            "on_array: [softmax]",
            "a.yaml:1: on_array: ['softmax']: expected distinct kinds out of linear, att",
        ),
        ("on_array: []", "a.yaml:1: on_array: []: expected distinct kinds"),
        ("\nmodle: digits", "a.yaml:2: modle: no such field; did you mean model? expected one of model, res"),
        ("steps: 1\nmodel: a\nsteps: 2", "a.yaml:3: steps: given twice, first on line 1"),
        ("array:\n  rows: 4\n  cols: 99", "a.yaml:3: array.cols: 99: expected an integer from 1 to 64"),
        (
            "array: {row: 4}",
            "a.yaml:1: array.row: no such field; did you mean rows? expected one of rows, cols",
        ),
        ("array: 16", "a.yaml:1: array: expected fields and values"),
        ("- model", "a.yaml:1: expected fields and values"),
        ("unit:\n  acc_bits: 5", "a.yaml:2: unit.acc_bits: 5: expected an integer from 9 to 40"),
        (
            "unit:\n  formats: [e2m1, e9m9]",
            "a.yaml:2: unit.formats: ('e2m1', 'e9m9'): expected distinct names",
        ),
        ("unit:\n  formats: e2m1", "a.yaml:2: unit.formats: 'e2m1': expected a list of names"),
        ("unit:\n  float_acc: {bits: 3}", "a.yaml:2: unit.float_acc.bits: no such field"),
        ("operands:\n  weight_bits: 5", "a.yaml:2: operands.weight_bits: 5: expected one of 4, 6, 8"),
        ("operands:\n  format: e5m2", "a.yaml:2: operands.format: 'e5m2': this configuration is built with"),
        (
            "unit: {formats: [e2m1]}\noperands:\n  weight_bits: 8",
            "a.yaml:3: operands.weight_bits: 8: this configuration is built with e2m1",
        ),
        (
            "layers:\n  fc1: {}\n  fc2: {block: -1}",
            "a.yaml:3: layers.fc2.block: -1: expected an integer from 0",
        ),
        (
            "operands:\n  zero_points: true",
            "a.yaml:2: operands.zero_points: True: expected false, or integers on a machine whose sums wrap",
        ),
        (
            "unit: {overflow: saturate}\noperands: {format: int4, zero_points: true}",
            "a.yaml:2: operands.zero_points: True: expected false, or integers",
        ),
        ("layers:\n  fc1: {format: nf4}", "a.yaml:2: layers.fc1.format: 'nf4': this configuration is"),
        (
            "memory: {dram_bytes_per_cycle: 0}",
            "a.yaml:1: memory.dram_bytes_per_cycle: 0: expected more than 0",
        ),
        (
            "memory:\n  activations_in_dram: 1",
            "a.yaml:2: memory.activations_in_dram: 1: expected true or false",
        ),
        ("sram: {weight_bytes: 0}", "a.yaml:1: sram.weight_bytes: 0: expected an integer from 1"),
        ("units: [a]", "a.yaml:1: units: ['a']: expected the name of a file"),
        ("model: [", "a.yaml:1: no YAML: "),
        ("a: b: c", "a.yaml:1: no YAML: mapping values are not allowed here"),
        ("model: digits\n? [a]\n: 1", "a.yaml:2: expected a name before the colon"),
        ("resolution: !!int x", "a.yaml:1: cannot be read"),
        ("model: !!python/object:os.system x", "a.yaml:1: cannot be read"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(text, FILE)
    assert str(caught.value).startswith(message)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.yaml: cannot be read: .*No such file"):
        load_settings(tmp_path / "none.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"binary\.yaml: cannot be read"):
        load_settings(binary)


def test_layers_are_dressed_by_the_last_pattern_that_fits() -> None:
    settings = Settings(
        layers={"mlp.*": OperandSettings(weight_bits=8), "mlp.fc2": OperandSettings(block=16, static=True)}
    )
    layers = {layer.name: layer.operands for layer in settings.dressed(dit("S", 2, 256).layers)}
    assert layers["attn.qkv"] == Operands("e2m1")
    assert layers["mlp.fc1"] == Operands("int4", weight_bits=8, passes=2)
    assert layers["mlp.fc2"] == Operands("e2m1", static=True, block=16)


def test_what_the_units_are_asked_for_reaches_the_layers() -> None:
    text = "operands: {format: int4, zero_points: true}\nlayers: {attn.proj: {rotated: false}}"
    layers = {
        layer.name: layer.operands for layer in read_settings(text, FILE).dressed(dit("S", 2, 256).layers)
    }
    assert layers["attn.qkv"] == Operands("int4", zero_points=True)
    assert layers["attn.proj"] == Operands("int4", rotated=False, zero_points=True)


def test_a_pattern_that_fits_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match=r"layers: 'ffn\.\*' fits no layer of the model; it has x_embedder"):
        Settings(layers={"ffn.*": OperandSettings()}).dressed(dit("S", 2, 256).layers)
    narrow = Settings(
        config=ArrayConfig(unit=UnitConfig(formats=("e2m1",))), operands=OperandSettings("int4")
    )
    with pytest.raises(ValueError, match="this configuration is built with e2m1"):
        narrow.dressed(dit("S", 2, 256).layers)


def test_memories_hold_as_many_words_as_their_bytes_do() -> None:
    sram = SramSettings(activation_bytes=16, weight_bytes=15, output_bytes=13)
    assert sram.words(Operands(activation_bits=8), 26) == Sram(16, 30, 4)
    assert SramSettings().words(Operands(), 26) == Sram()
