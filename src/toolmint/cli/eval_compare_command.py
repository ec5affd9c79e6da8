"""``toolmint eval compare``: two files of rows, item by item."""

from pathlib import Path

import click

from toolmint.cli.common import console, say


@click.command("compare")
@click.argument("first", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("second", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--report", type=click.Path(path_type=Path), help="Write the comparison as JSON.")
def eval_compare_command(*, first: Path, second: Path, report: Path | None) -> None:
    """Compare the rows of FIRST and SECOND, two runs of one benchmark, over the items of both.

    Differences are first minus second, with 95 % intervals (paired bootstrap over clusters); p is McNemar's
    exact test.
    """
    from toolmint.cli.report_table import table_of
    from toolmint.evaluation.compare import compare, comparison_report
    from toolmint.evaluation.rows import read_rows

    found = compare(read_rows(first), read_rows(second))
    comparison = comparison_report(found)
    for section in comparison.sections:
        console().print(table_of(section))
    for note in comparison.notes:
        say(note)
    if report is not None:
        report.write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
        say(f"figures: {report}")
