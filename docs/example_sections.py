"""An extension of griffe, for the site: reads ``Example:`` in docstrings as ``Examples:``.

The style of Google's docstrings allows both; griffe renders doctests under the second only.
"""

import re
from typing import Any

import griffe


class ExampleSections(griffe.Extension):
    """Renames the heading in every docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rename the heading in one object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(
                r"^Example:$", "Examples:", obj.docstring.value, flags=re.MULTILINE
            )
