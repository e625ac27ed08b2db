"""Tables: figures keep their decimals, and text cannot break a page."""

from pathlib import Path

import pandas as pd
import pytest

from engine import tables
from engine.errors import UserError

FRAME = pd.DataFrame(
    {
        "set": ["Set12", "a & b|<c>"],
        "psnr_db": ["30.40", "-1.00"],
        "oa": ["97.10 ± 0.20", ""],
        "published": [None, None],
    }
)


def test_csv_round_trip_keeps_decimals_and_empty_cells(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "table.csv"
    tables.write_csv(FRAME, path, ["set", "psnr_db", "oa", "published"])
    assert path.read_text().splitlines()[1] == "Set12,30.40,97.10 ± 0.20,"
    assert tables.read_csv(path).psnr_db.tolist() == ["30.40", "-1.00"]
    assert tables.read_csv(path).published.tolist() == ["", ""]


@pytest.mark.parametrize("columns", [["set"], ["set", "psnr_db", "oa", "published", "more"]])
def test_csv_has_exactly_the_columns_of_the_contract(tmp_path: Path, columns: list[str]) -> None:
    with pytest.raises(ValueError, match="expected columns"):
        tables.write_csv(FRAME, tmp_path / "table.csv", columns)
    assert not list(tmp_path.iterdir())


def test_csv_columns_come_in_the_order_asked_for(tmp_path: Path) -> None:
    tables.write_csv(FRAME[["oa", "set"]], tmp_path / "table.csv", ["set", "oa"])
    assert (tmp_path / "table.csv").read_text().startswith("set,oa\n")


def test_markdown() -> None:
    assert tables.markdown(FRAME, "Means").splitlines() == [
        "Means",
        "",
        "| set | psnr_db | oa | published |",
        "| :--- | ---: | ---: | :--- |",
        "| Set12 | 30.40 | 97.10 ± 0.20 |  |",
        r"| a & b\|<c> | -1.00 |  |  |",
    ]


def test_latex() -> None:
    text = tables.latex(FRAME, "100 % of it")
    assert r"\begin{tabular}{lrrl}" in text
    assert r"a \& b|<c> & -1.00 &  &  \\" in text
    assert r"97.10 $\pm$ 0.20" in text
    assert r"psnr\_db" in text
    assert r"\caption{100 \% of it}" in text
    assert "table}" not in tables.latex(FRAME)


def test_html_is_one_safe_page() -> None:
    page = tables.html(FRAME, "A <caption>", "A note & more")
    assert page.startswith("<!DOCTYPE html>")
    assert "<td>a &amp; b|&lt;c&gt;</td><td class=number>-1.00</td>" in page
    assert "<caption>A &lt;caption&gt;</caption>" in page
    assert "<p>A note &amp; more</p>" in page
    assert "http" not in page


def test_a_table_without_rows() -> None:
    empty = FRAME.iloc[:0]
    assert tables.markdown(empty).count("\n") == 2
    assert "<tbody>\n\n</tbody>" in tables.html(empty)
    assert r"\midrule" in tables.latex(empty)


@pytest.mark.parametrize("suffix", ["html", "md", "tex"])
def test_command(tmp_path: Path, suffix: str) -> None:
    tables.write_csv(FRAME, tmp_path / "t.csv", list(FRAME.columns))
    tables.main([str(tmp_path / "t.csv"), str(tmp_path / f"t.{suffix}"), "--caption", "Means"])
    assert "30.40" in (tmp_path / f"t.{suffix}").read_text()


@pytest.mark.parametrize(
    ("table", "out", "message"),
    [
        ("none.csv", "t.md", "expected a CSV table with a line of names"),
        ("empty.csv", "t.md", "expected a CSV table with a line of names"),
        ("t.csv", "t.pdf", r"expected a name that ends with \.html, \.md or \.tex"),
    ],
)
def test_command_tells_a_mistake_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, out: str, message: str
) -> None:
    (tmp_path / "empty.csv").touch()
    tables.write_csv(FRAME, tmp_path / "t.csv", list(FRAME.columns))
    with pytest.raises(SystemExit, match="2"):
        tables.main([str(tmp_path / table), str(tmp_path / out)])
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / out).exists()


def test_reading_something_else_than_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2,3,4\n\xff")
    with pytest.raises(UserError, match="expected a CSV table"):
        tables.read_csv(tmp_path / "t.csv")


def test_cells_that_spreadsheets_would_run_are_inert(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    frame = pd.DataFrame(
        {"class": ["=1+1", "+x", "-2.5", "@a", "wheat", "−1"], "n": [-1, 2, 3, 4, 5, 6]}
    )
    tables.write_csv(frame, path, ["class", "n"])
    assert path.read_text().splitlines()[1:] == [
        "'=1+1,-1",
        "'+x,2",
        "-2.5,3",
        "'@a,4",
        "wheat,5",
        "−1,6",
    ]
