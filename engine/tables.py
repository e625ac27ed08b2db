"""Tables: tidy CSV in; Markdown, LaTeX and HTML out.

On the command line: ``python -m engine.tables TABLE.csv OUT.{html,md,tex} --caption TEXT``.
"""

import argparse
import html as markup
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine.artifacts import write_text
from engine.errors import UserError, why

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{caption}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; border-block: 2px solid; font-variant-numeric: tabular-nums; }}
caption {{ text-align: left; padding-bottom: .6em; font-weight: 600; }}
th {{ text-align: left; border-bottom: 1px solid; }}
th, td {{ padding: .2em .8em; white-space: nowrap; }}
tbody tr:nth-child(even) {{ background: rgb(128 128 128 / 10%); }}
.number {{ text-align: right; }}
p {{ max-width: 50em; }}
</style>
</head>
<body>
<div>
<table>
<caption>{caption}</caption>
<thead>
{head}
</thead>
<tbody>
{body}
</tbody>
</table>
</div>
{note}</body>
</html>
"""

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # the first letter of what spreadsheets run

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "±": r"$\pm$",
        "×": r"$\times$",
        "σ": r"$\sigma$",
    }
    | {character: f"\\{character}" for character in "&%$#_{}"}
)


def read_csv(path: Path) -> pd.DataFrame:
    """Return a table of strings, so that every figure keeps the decimals it was written with.

    Parameters
    ----------
    path : Path
        A CSV file whose first line names the columns.

    Returns
    -------
    DataFrame
        Every cell is a string; an empty cell is ''.

    Raises
    ------
    UserError
        The file is missing or is not a table.
    """
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(
            f"{path}: expected a CSV table with a line of names ({why(error)})"
        ) from error


def write_csv(frame: pd.DataFrame, path: Path, columns: Sequence[str]) -> None:
    """Write a table completely or not at all, with exactly these columns in this order.

    Parameters
    ----------
    frame : DataFrame
        Cells are written as they are, so round figures before. A missing value is written as ''.
        Only text that a spreadsheet would run as a formula (=, +, -, @ first, and no number) gets
        an apostrophe in front.
    path : Path
        The file to write; missing folders are created.
    columns : sequence of str
        Names of all columns.

    Raises
    ------
    ValueError
        The columns of `frame` are others.
    """
    if set(frame.columns) != set(columns):
        raise ValueError(f"{path}: expected columns {list(columns)}, found {list(frame.columns)}")
    plain = frame[list(columns)].map(_inert)
    write_text(path, plain.to_csv(index=False, lineterminator="\n"))


def _inert(cell: Any) -> Any:
    """Return text that no spreadsheet takes for a formula."""
    if isinstance(cell, str) and cell[:1] in FORMULA and cell and not _numeric([cell]):
        return f"'{cell}"
    return cell


def two_decimals(value: float | None) -> str:
    """Return a number as text with two decimals; None and NaN as an empty text."""
    return "" if value is None or math.isnan(value) else f"{value:.2f}"


def markdown(frame: pd.DataFrame, caption: str = "") -> str:
    """Return a table as GitHub Markdown, with figures aligned to the right.

    Parameters
    ----------
    frame : DataFrame
    caption : str
        A line above the table.

    Returns
    -------
    str

    Examples
    --------
    >>> print(markdown(pd.DataFrame({"set": ["Set12"], "psnr_db": ["30.43"]})), end="")
    | set | psnr_db |
    | :--- | ---: |
    | Set12 | 30.43 |
    """
    names, rows, numeric = _cells(frame)
    rule = ["---:" if number else ":---" for number in numeric]
    cells = [names, rule, *rows]
    lines = ["| " + " | ".join(c.replace("|", r"\|") for c in row) + " |" for row in cells]
    return (f"{caption}\n\n" if caption else "") + "\n".join(lines) + "\n"


def latex(frame: pd.DataFrame, caption: str = "") -> str:
    r"""Return a table as LaTeX for the ``booktabs`` package.

    Parameters
    ----------
    frame : DataFrame
    caption : str
        If given, the table is put into a ``table`` environment with ``\caption``.

    Returns
    -------
    str
    """
    names, rows, numeric = _cells(frame)
    head, *body = [" & ".join(c.translate(_LATEX) for c in row) + r" \\" for row in [names, *rows]]
    align = "".join("r" if number else "l" for number in numeric)
    lines = [rf"\begin{{tabular}}{{{align}}}", r"\toprule", head, r"\midrule", *body]
    lines += [r"\bottomrule", r"\end{tabular}"]
    if caption:
        title = rf"\caption{{{caption.translate(_LATEX)}}}"
        lines = [r"\begin{table}", r"\centering", title, *lines, r"\end{table}"]
    return "\n".join(lines) + "\n"


def html(frame: pd.DataFrame, caption: str = "", note: str = "") -> str:
    """Return a table as an HTML page that needs no other file.

    Parameters
    ----------
    frame : DataFrame
    caption : str
        Text above the table, and title of the page.
    note : str
        A paragraph below the table.

    Returns
    -------
    str
    """
    names, rows, numeric = _cells(frame)

    def line(cells: list[str], tag: str) -> str:
        shown = (
            f"<{tag}{' class=number' * number}>{markup.escape(cell)}</{tag}>"
            for cell, number in zip(cells, numeric, strict=True)
        )
        return f"<tr>{''.join(shown)}</tr>"

    return _PAGE.format(
        caption=markup.escape(caption or "Table"),
        head=line(names, "th"),
        body="\n".join(line(row, "td") for row in rows),
        note=f"<p>{markup.escape(note)}</p>\n" if note else "",
    )


def _cells(frame: pd.DataFrame) -> tuple[list[str], list[list[str]], list[bool]]:
    """Return the names of the columns, the cells as text, and which columns hold figures."""
    text = frame.astype(object).where(frame.notna(), "").astype(str)
    rows = [[" ".join(str(cell).split()) for cell in row] for row in text.to_numpy().tolist()]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(frame.columns)
    return [str(name) for name in frame.columns], rows, [_numeric(cells) for cells in columns]


def _numeric(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    try:
        for cell in filled:
            float(cell.split("±")[0].replace("−", "-"))
    except ValueError:
        return False
    return bool(filled)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a CSV table as HTML, Markdown or LaTeX, by the suffix of the output."""
    parser = argparse.ArgumentParser(prog="python -m engine.tables", description=main.__doc__)
    parser.add_argument("table", type=Path, help="a CSV file")
    parser.add_argument("out", type=Path, help="a file that ends with .html, .md or .tex")
    parser.add_argument("--caption", default="", help="a line above the table")
    parser.add_argument("--note", default="", help="a paragraph below the table (HTML)")
    asked = parser.parse_args(arguments)
    try:
        frame = read_csv(asked.table)
        match asked.out.suffix:
            case ".html":
                text = html(frame, asked.caption, asked.note)
            case ".md":
                text = markdown(frame, asked.caption)
            case ".tex":
                text = latex(frame, asked.caption)
            case _:
                raise UserError(f"{asked.out}: expected a name that ends with .html, .md or .tex")
        write_text(asked.out, text)
    except UserError as error:
        parser.exit(2, f"tables: {error}\n")


if __name__ == "__main__":
    main()
