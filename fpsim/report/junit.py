"""The sign-off as JUnit XML, the format that CI servers read: a suite per stage, a case per check."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

from fpsim.verify.check import STAGES, Check
from fpsim.verify.signoff import SignOff

_ILLEGAL = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def junit_xml(signoff: SignOff) -> bytes:
    """The checks; one that was not run is "skipped", and the page beside it says that nothing is signed off.

    The elements and attributes are those of the xsd that Jenkins' xunit plugin publishes (junit-10.xsd).
    """
    root = ElementTree.Element("testsuites", name="fpsim verify")
    for stage in STAGES:
        checks = [check for check in signoff.checks if check.stage == stage]
        if not checks:
            continue
        verdicts = Counter(check.verdict for check in checks)
        counts = {"tests": len(checks), "failures": verdicts["failed"], "skipped": verdicts["not run"]}
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            {name: str(value) for name, value in counts.items()},
            name=stage,
            errors="0",
            time=f"{sum(check.seconds for check in checks):.2f}",
        )
        for check in checks:
            suite.append(_case(check))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _case(check: Check) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname=f"{check.stage}.{check.subject}", name=check.name, time=f"{check.seconds:.2f}"
    )
    if not check.passed:
        kind = "failure" if check.verdict == "failed" else "skipped"
        message = _legal(check.message)
        ElementTree.SubElement(case, kind, message=message.partition("\n")[0]).text = message
    return case


def _legal(text: str) -> str:
    """The text without characters that XML 1.0 forbids (section 2.2), as a crashed simulator may print."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)
