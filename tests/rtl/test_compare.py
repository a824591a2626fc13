"""The processing elements that number formats are compared with are right: every product, and long sums."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fpsim.array.config import OPERAND_FORMATS
from fpsim.estimate.netlist import CLOCK
from fpsim.estimate.reference import Device, Reference
from fpsim.estimate.stimulus import Run
from fpsim.estimate.synth import source_files
from fpsim.estimate.units_compare import CODES, ELEMENTS, K_MAX, MODULE, Element
from fpsim.formats import get
from fpsim.verify.rtl_files import default_rtl_folder
from fpsim.verify.toolchain import check_tools, verilator_environment

pytestmark = pytest.mark.rtl

RTL = default_rtl_folder()
FILES = sorted((RTL / "compare").glob("*.sv"))
LONGEST_MODULE = 200
RESET = 3
LATENCY = 2

Ints = NDArray[np.int64]


def device(element: Element) -> Device:
    a, b = element.a_bits, element.b_bits
    return Device(
        module=MODULE,
        parameters=element.parameters,
        inputs={"rst_ni": 1, "en_i": 1, "first_i": 1, "fmt_i": 2, "a_i": a, "b_i": b},
        outputs={"a_o": a, "b_o": b, "acc_o": element.acc_bits},
        clocked=True,
    )


def formats_of(element: Element) -> list[int]:
    """Selectors that the element is to be driven with."""
    if element.multiplier != CODES:
        return [0]
    return [f for f in range(len(OPERAND_FORMATS)) if element.formats >> f & 1]


def integers(fmt: str, bits: int) -> Ints:
    """Value of every code, in the format's smallest steps: by fpsim.formats, not by the decoder's law."""
    if bits == 8:
        return np.arange(256).astype(np.int8).astype(np.int64)
    values = np.array([float(get(fmt).value(code)) for code in range(16)], np.float64)
    step = np.abs(values[values != 0]).min()
    whole = values / step
    assert (whole == np.rint(whole)).all()
    return whole.astype(np.int64)


def stimulus(element: Element) -> tuple[dict[str, Ints], Ints]:
    """Every pair of codes of every format by itself; then the longest sums: of the largest product, of the
    most negative one, and of random ones with idle cycles. Columns, and the sum after every cycle."""
    a_count, b_count = 1 << element.a_bits, 1 << element.b_bits
    pairs = np.arange(a_count * b_count)
    random = np.random.default_rng(7)
    columns: dict[str, list[Ints]] = {name: [] for name in ("a_i", "b_i", "first_i", "en_i", "fmt_i")}

    def add(a: Ints, b: Ints, first: Ints, en: Ints, selector: int) -> None:
        for name, values in zip(columns, (a, b, first, en, np.full(len(a), selector)), strict=True):
            columns[name].append(values.astype(np.int64))

    sums: list[Ints] = []
    last = 0
    for selector in formats_of(element):
        fmt = OPERAND_FORMATS[selector] if element.multiplier == CODES else "int4"
        a_values, b_values = integers(fmt, element.a_bits), integers(fmt, element.b_bits)
        ones = np.ones(len(pairs), np.int64)
        add(pairs // b_count, pairs % b_count, ones, ones, selector)
        sums.append(a_values[pairs // b_count] * b_values[pairs % b_count])
        products = np.multiply.outer(a_values, b_values).ravel()
        for kind in ("largest", "smallest", "random"):
            if kind == "random":
                chosen, en = random.choice(pairs, K_MAX), random.integers(0, 4, K_MAX) > 0
                first = (random.integers(0, 900, K_MAX) == 0) | (np.arange(K_MAX) == 0)
            else:
                place = products.argmax() if kind == "largest" else products.argmin()
                chosen, en = np.full(K_MAX, place), np.ones(K_MAX, bool)
                first = np.arange(K_MAX) == 0
            add(chosen // b_count, chosen % b_count, first, en, selector)
            last = int(sums[-1][-1])
            found = np.zeros(K_MAX, np.int64)
            for i, (product, clear, go) in enumerate(zip(products[chosen], first, en, strict=True)):
                last = int(product) if go and clear else last + int(product) * bool(go)
                found[i] = last
            sums.append(found)
    whole = {name: np.concatenate(parts) for name, parts in columns.items()}
    # The selector is for the operands in the registers: it changes when they do, a cycle after the ports.
    whole["fmt_i"] = np.concatenate([whole["fmt_i"][:1], whole["fmt_i"][:-1]])
    return whole, np.concatenate(sums)


def differences(reference: Reference, name: str, element: Element) -> int:
    """Cycles in which the accumulator is not the sum, or an operand register not the operand."""
    columns, sums = stimulus(element)
    padded = {key: np.concatenate([np.zeros(RESET, np.int64), v]) for key, v in columns.items()}
    padded["rst_ni"] = (np.arange(len(padded["a_i"])) >= RESET).astype(np.int64)
    # The outputs of a cycle are sampled before its clock: LATENCY later the last operands have counted.
    padded = {key: np.concatenate([v, np.full(LATENCY, v[-1])]) for key, v in padded.items()}
    padded["en_i"][-LATENCY:] = 0
    bits = Run(padded, {}).bits(device(element).inputs)
    seen = reference.run({name: bits})[name].astype(np.int64)
    weights = 1 << np.arange(element.acc_bits, dtype=np.int64)
    weights[-1] = -weights[-1]
    place = element.a_bits + element.b_bits
    acc = seen[RESET + LATENCY :, place:] @ weights
    a_seen = seen[RESET + 1 : -1, : element.a_bits] @ (1 << np.arange(element.a_bits))
    b_seen = seen[RESET + 1 : -1, element.a_bits : place] @ (1 << np.arange(element.b_bits))
    assert len(acc) == len(sums) > 3 * K_MAX * len(formats_of(element))
    wrong = (acc != sums) | (a_seen != columns["a_i"]) | (b_seen != columns["b_i"])
    return int(wrong.sum())


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    devices = {name: device(element) for name, element in ELEMENTS.items()}
    return Reference(devices, source_files(RTL, [MODULE]), tmp_path_factory.mktemp("compare"))


@pytest.mark.parametrize("name", ELEMENTS)
def test_every_product_and_the_longest_sums(name: str, reference: Reference) -> None:
    assert differences(reference, name, ELEMENTS[name]) == 0


FAULTS = [  # file, text, fault, the elements that must show it
    (
        "fpsim_compare_baugh_wooley.sv",
        "(PRODUCT_W'(1) << (BW - 1))",
        "(PRODUCT_W'(0))",
        ("pe_int4", "pe_int8"),
    ),
    ("fpsim_compare_baugh_wooley.sv", "j == BW - 1 ?", "j == BW - 2 ?", ("pe_w4a8", "pe_int8")),
    ("fpsim_compare_pe.sv", "AccW'($signed(exact))", "AccW'(exact)", ("pe_int4", "pe_w4a8")),
    ("fpsim_compare_pe.sv", "$signed(a_q) *", "$signed({1'b0, a_q}) *", ("pe_int4_operator",)),
    ("fpsim_compare_pe.sv", "~first_q", "~first_i", ("pe_e2m1", "pe_int8_operator")),
]


def test_faults_are_seen(tmp_path: Path) -> None:
    """All of them in one program: each fault in modules of other names."""
    sources, devices, judged = source_files(RTL, [MODULE]), {}, []
    files = [path for path in sources if path.parent == RTL]
    for number, (file, old, new, names) in enumerate(FAULTS):
        for path in FILES:
            text = path.read_text("utf-8")
            if path.name == file:
                assert text.count(old) == 1
                text = text.replace(old, new)
            text = re.sub(r"\b(fpsim_compare_\w+)\b", rf"\1_{number}", text)
            files.append(tmp_path / f"{path.stem}_{number}.sv")
            files[-1].write_text(text, "utf-8")
        for name in names:
            shape = device(ELEMENTS[name])
            key = f"{name}_{number}"
            devices[key] = Device(
                f"{MODULE}_{number}", shape.parameters, shape.inputs, shape.outputs, shape.clocked
            )
            judged.append((key, ELEMENTS[name]))
    (tmp_path / "build").mkdir()
    faulty = Reference(devices, files, tmp_path / "build")
    assert CLOCK == "clk_i"
    for key, element in judged:
        assert differences(faulty, key, element) > 0, key


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_one_short_module_with_a_header(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"^module (\w+)", text, re.MULTILINE) == [path.stem]
    assert len(text.splitlines()) < LONGEST_MODULE
    header = text[: text.index("`default_nettype none")]
    assert all(line.startswith("//") for line in header.splitlines() if line)
    assert not [word for word in ("Latency", "Throughput", "Python twin") if word not in header]


@pytest.mark.parametrize("name", ELEMENTS)
def test_verilator_and_icarus_have_nothing_against_it(name: str, tmp_path: Path) -> None:
    files = [str(path) for path in source_files(RTL, [MODULE])]
    parameters = ELEMENTS[name].parameters
    lint = [str(check_tools().verilator), "--lint-only", "-Wall", "--quiet-stats", "--top-module", MODULE]
    sets = [f"-G{key}={value}" for key, value in parameters.items()]
    said = subprocess.run(
        [*lint, *sets, *files], env=verilator_environment(), capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    assert not said.stderr
    assert shutil.which("iverilog"), "type: apt-get install iverilog"
    sets = [f"-P{MODULE}.{key}={value}" for key, value in parameters.items()]
    command = ["iverilog", "-g2012", "-s", MODULE, *sets, "-o", str(tmp_path / "out"), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
