"""Rows of cells -> the lines of a Markdown table, the form in which all formats give tables."""

from collections.abc import Iterator, Sequence


def markdown_rows(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give one line per row and the rule under the first; rows are filled up to the widest.

    Cells become single lines and their bars are escaped. A table without words gives nothing.
    """
    filled = [[_cell(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    width = max((len(row) for row in filled), default=0)
    for number, row in enumerate(filled):
        yield _line(row + [""] * (width - len(row)))
        if number == 0:
            yield "|" + "---|" * width


def markdown_row(cells: Sequence[str]) -> str:
    """Give one more row of a table that has begun; it may be shorter than the first."""
    return _line([_cell(cell) for cell in cells])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
