"""The page needs nothing else, shows the data's numbers, and cannot be led astray by its strings."""

from __future__ import annotations

import base64
import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

from fpsim.report.data import GoldenSummary
from fpsim.report.html import render
from tests.report import sample

VOID = {"meta", "img", "source", "br", "hr", "link", "input"}
HOSTILE = "<script>alert(1)</script><img src=http://x.test onerror='1'>\"&amp;$"


class Page(HTMLParser):
    """Tags with attributes, tables as rows of cells, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def row(self, name: str, cells: int) -> list[str]:
        """The one row of that name and length; several alike count as one."""
        found = {tuple(row) for row in self.rows if row and row[0] == name and len(row) == cells}
        assert len(found) == 1, found
        return list(found.pop())


@cache
def full_html() -> str:
    return render(sample.report())


@cache
def full() -> Page:
    return Page(full_html())


def images(page: Page) -> list[dict[str, str | None]]:
    return [attributes for tag, attributes in page.tags if tag == "img"]


def test_every_tag_is_closed_in_order() -> None:
    assert full().open == []


def test_nothing_is_loaded_from_elsewhere() -> None:
    for tag, attributes in full().tags:
        assert tag not in ("script", "link", "iframe", "object", "base")
        for name in ("src", "srcset", "href", "action", "data", "poster", "xlink:href"):
            target = attributes.get(name)
            assert target is None or target.startswith(("data:image/", "#")), (tag, name)
    assert "@import" not in full().text
    assert "url(" not in full().text


def test_embedded_figures_load_nothing_either() -> None:
    prefix = "data:image/svg+xml;base64,"
    sources = [str(image["src"]) for image in images(full())]
    svgs = [base64.b64decode(source.removeprefix(prefix)) for source in sources if source.startswith(prefix)]
    assert len(svgs) == 2 * 2 + 1 + 2  # two per model, the pie, one per workload
    for svg in svgs:
        for node in ET.fromstring(svg).iter():
            for name, value in node.attrib.items():
                assert not name.endswith("href") or value.startswith("#")


def test_every_image_says_what_it_shows() -> None:
    alts = [str(image["alt"]) for image in images(full())]
    assert all(len(alt) > 20 for alt in alts)
    assert any("rotated-w4a4: median" in alt for alt in alts)


def test_headings_of_tables_have_scopes_and_links_have_targets() -> None:
    ids = [attributes["id"] for _, attributes in full().tags if attributes.get("id")]
    assert len(set(ids)) == len(ids)
    for tag, attributes in full().tags:
        if tag == "th":
            assert attributes.get("scope") in ("row", "col", "colgroup")
        if tag == "a":
            assert str(attributes["href"])[1:] in ids
        if attributes.get("aria-labelledby"):
            assert attributes["aria-labelledby"] in ids


def test_sections_stand_in_the_order_of_the_argument() -> None:
    ids = [attributes["id"] for tag, attributes in full().tags if tag == "h2"]
    assert ids == [
        "images", "quality", "layers", "rtl", "golden", "area", "energy", "limits", "provenance", "reproduce",
    ]  # fmt: skip


def test_tables_show_the_numbers_of_the_data() -> None:
    page = full()
    assert page.row("rotated-w4a4", 9)[1:3] == ["0.0763", "0.0009"]
    assert page.row("naive-w4a4", 9)[5:] == ["3.723", "7.94", "94.9", "98.8"]
    assert page.row("fp32", 9)[1:5] == ["0.0000", "0.0000", "–", "–"]
    assert page.row("mul", 8) == [
        "mul", "passed", "1\u202f025", "256", "5\u202f000", "6\u202f281", "9\u202f111", "3.5",
    ]  # fmt: skip
    assert page.row("mul", 4) == ["mul", "1", "a 256, b 256, product 256", "golden/mul/default"]
    assert page.row("accelerator", 5) == ["accelerator", "", "90\u202f418.4", "103\u202f544", "100.0"]
    assert page.row("blocks.0.attn.qkv", 7) == [
        "blocks.0.attn.qkv", "442\u202f368", "2\u202f211", "78.2", "73", "122", "232",
    ]  # fmt: skip
    assert page.row("whole workload", 7)[1:] == [
        "212\u202f336\u202f640", "1\u202f061\u202f680", "78.1", "1\u202f800", "2\u202f950", "5\u202f600",
    ]  # fmt: skip
    assert page.row("blocks.5.mlp.fc2", 3) == ["blocks.5.mlp.fc2", "18.8", "8.3"]
    assert page.row("verilator", 2) == ["verilator", "5.048"]
    assert page.row("golden", 2) == ["golden", "7"]
    assert page.row("unit.formats", 2) == ["unit.formats", "e2m1, e3m0, e1m2, int4"]


def test_stress_model_is_labelled_synthetic_and_the_other_is_not() -> None:
    assert full().text.count("synthetic outliers") >= 3
    alone = replace(sample.empty(), models=[sample.model()])
    assert "synthetic" not in Page(render(alone)).text


def test_text_of_the_host_and_how_to_reproduce() -> None:
    text = full().text
    assert "Attention's two matrix products" in text
    assert "fpsim demo" in text
    assert 'an infinite value is the string "inf"' in text


def test_the_page_is_small() -> None:
    assert len(full_html().encode()) < 2_000_000


def test_failure_shows_as_failure() -> None:
    page = Page(render(replace(sample.with_failure(), models=[], cost=sample.empty().cost)))
    assert page.row("mul", 9)[1] == "FAILED"
    assert page.row("mul", 9)[-1] == "beat 17: product 0x3fff, expected 0x3ffe"
    assert page.row("all units", 9)[1] == "1 FAILED"
    assert "RTL check failed" in page.text
    assert "RTL and reference agree" not in page.text
    verdicts = [a["class"] for tag, a in page.tags if a.get("id") == "verdict"]
    assert verdicts == ["verdict failed"]


def test_infinite_sqnr_is_shown_as_such() -> None:
    model = sample.model()
    exact = replace(
        model.rows[2],
        layer_sqnr_db=dict.fromkeys(sample.LAYERS, math.inf),
        epsilon_sqnr_db=dict.fromkeys(sample.TIMESTEPS, math.inf),
    )
    report = replace(sample.empty(), models=[replace(model, rows=[*model.rows[:2], exact])])
    page = Page(render(report))
    assert page.row("rotated-w4a4", 9)[3:5] == ["∞", "∞"]
    assert page.row("blocks.0.attn.qkv", 3)[1] == "∞"


def test_hostile_strings_stay_text() -> None:
    cost = sample.report().cost
    rows = [replace(sample.recipe("x", 9, 1), name=HOSTILE, title=HOSTILE), sample.fp32()]
    hostile = replace(
        sample.empty(),
        versions={HOSTILE: HOSTILE},
        models=[replace(sample.model(HOSTILE, HOSTILE), rows=rows)],
        golden=[GoldenSummary(HOSTILE, HOSTILE, {HOSTILE: 1}, 1)],
        rtl=[replace(sample.checks()[0], unit=HOSTILE, passed=False, message=HOSTILE)],
        cost=replace(cost, library=HOSTILE, notes=[HOSTILE], workloads=cost.workloads[:1]),
        not_modelled=[HOSTILE],
    )
    page = Page(render(hostile))
    assert page.open == []
    assert not any(tag == "script" for tag, _ in page.tags)
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert all(str(image["src"]).startswith("data:") for image in images(page))
    assert page.row(HOSTILE, 2) == [HOSTILE, HOSTILE]


def test_an_empty_run_says_so() -> None:
    page = Page(render(sample.empty()))
    assert page.open == []
    assert "RTL not checked" in page.text
    assert "No workload was costed" in page.text
    assert images(page) == []
