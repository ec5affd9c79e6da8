"""A report's sections as tables for the terminal."""

from rich.table import Table

from toolmint.evaluation.report import Section, cell_text


def table_of(section: Section) -> Table:
    """Return a section as a table."""
    columns = list(dict.fromkeys(name for line in section.lines for name in line.cells))
    table = Table(section.first, *columns, title=section.title)
    for line in section.lines:
        table.add_row(line.name, *(cell_text(line.cells.get(name)) for name in columns))
    return table
