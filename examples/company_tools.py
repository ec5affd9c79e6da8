"""Two tools for an agent: ``toolmint agent "..." --tools python:examples/company_tools.py``."""

from toolmint import tool

FOUNDED = {"Norda": 1987, "Velaria": 1954, "Skylark": 2009}


@tool
def founded(company: str) -> int:
    """Return the year in which a company was founded.

    Args:
        company: the company's name.
    """
    return FOUNDED[company]


@tool
def companies() -> list[str]:
    """List the companies that are known."""
    return sorted(FOUNDED)
