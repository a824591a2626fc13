"""The committed timing diagrams are what the simulator shows, and every one of them is in rtl/README.md."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fpsim.demo.timing import SCENES, diagram_of
from fpsim.report.timing import Diagram, Handshake, Row, read_diagram, svg

FOLDER = Path(__file__).parents[2] / "rtl" / "timing"
MOST_BYTES = 30_000


@pytest.mark.rtl
def test_a_diagram_made_again_shows_the_same() -> None:
    (scene,) = (scene for scene in SCENES if scene.name == "skid")
    assert diagram_of(scene) == read_diagram(FOLDER / "skid.svg")


def test_every_diagram_is_committed_small_and_shown() -> None:
    page = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.iterdir()} == {f"{scene.name}.svg" for scene in SCENES}
    for scene in SCENES:
        file = FOLDER / f"{scene.name}.svg"
        assert f"(timing/{file.name})" in page
        assert file.stat().st_size < MOST_BYTES
        assert svg(read_diagram(file)) == file.read_text(encoding="utf-8")
        assert read_diagram(file).title == scene.title


def test_the_diagrams_show_what_they_are_for() -> None:
    shown = {scene.name: read_diagram(FOLDER / f"{scene.name}.svg") for scene in SCENES}
    for diagram in shown.values():
        for shake in diagram.handshakes:
            pairs = list(zip(diagram.row(shake.valid).values, diagram.row(shake.ready).values, strict=True))
            assert (1, 1) in pairs
            # A valid stays until its ready.
            assert all(later[0] == 1 for pair, later in pairwise(pairs) if pair == (1, 0))
    for name in ("hadamard", "mac_array", "skid", "fifo"):
        stalls = zip(
            shown[name].row("out_valid_o").values, shown[name].row("out_ready_i").values, strict=True
        )
        assert (1, 0) in stalls
        assert 0 in shown[name].row("in_ready_o").values
    array = shown["mac_array"]
    overlap = zip(array.row("in_ready_o").values, array.row("out_valid_o").values, strict=True)
    assert (1, 1) in overlap  # a tile goes in while one drains
    assert array.row("out_last_o").values.count(1) == 3
    assert shown["top_packet"].row("m_axis_y_tlast").values.count(1) == 1


DIAGRAM = Diagram(
    "a < b & c",
    (
        Row("clk_i", "clock", (0, 0, 0)),
        Row(""),
        Row("valid", "bit", (0, 1, 1)),
        Row("ready", "bit", (1, 0, 1)),
        Row("data", "word", (None, 255, 0x123456789)),
    ),
    (Handshake("valid", "ready", ("valid", "ready", "data")),),
)


def test_the_drawing_has_a_shade_for_a_stall_and_a_dot_for_a_transfer(tmp_path: Path) -> None:
    text = svg(DIAGRAM)
    root = ElementTree.fromstring(text)
    kinds = [element.get("class") for element in root]
    assert kinds.count("t") == 2  # the stall and the legend's
    assert kinds.count("d") == 2
    words = [element.text for element in root if element.get("class") == "w"]
    assert words == ["ff", "…6789"]
    (tmp_path / "x.svg").write_text(text, encoding="utf-8")
    assert read_diagram(tmp_path / "x.svg") == DIAGRAM
    (tmp_path / "x.svg").write_text("<svg/>", encoding="utf-8")
    with pytest.raises(ValueError, match="no timing diagram"):
        read_diagram(tmp_path / "x.svg")
