"""Liberty's expressions against truth tables written by hand."""

import pytest

from fpsim.estimate.boolean import names, truth_table


@pytest.mark.parametrize(
    ("expression", "inputs", "table"),
    [
        ("A", ("A",), (0, 1)),
        ("!A", ("A",), (1, 0)),
        ("A'", ("A",), (1, 0)),
        ("!(A B)", ("A", "B"), (1, 1, 1, 0)),
        ("(!A) + (!B)", ("A", "B"), (1, 1, 1, 0)),
        ("A*!B", ("A", "B"), (0, 1, 0, 0)),
        ("A ^ B", ("A", "B"), (0, 1, 1, 0)),
        ("A | B & C", ("A", "B", "C"), (0, 1, 0, 1, 0, 1, 1, 1)),  # and binds tighter than or
        ("A & B ^ C", ("A", "B", "C"), (0, 0, 0, 1, 0, 1, 0, 0)),  # xor binds tighter than and
        ("(A+B)'", ("A", "B"), (1, 0, 0, 0)),
        ("1", (), (1,)),
        ("0", ("A",), (0, 0)),
    ],
)
def test_truth_tables(expression: str, inputs: tuple[str, ...], table: tuple[int, ...]) -> None:
    assert truth_table(expression, inputs) == table


def test_names_come_once_and_in_order() -> None:
    assert names("!(B * A) + B ^ 1") == ("B", "A")


@pytest.mark.parametrize("expression", ["(A", "A)", "A + ", "C", "A ? B", ""])
def test_a_bad_expression_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="expression"):
        truth_table(expression, ("A", "B"))
