"""How pages write amounts and name a request class: by its title, not by the name that the store keeps."""

import re
from collections.abc import Mapping

from toolmint.core.namespace import ClassKey
from toolmint.core.store import ClassInfo

# The digests that make names unique: six digits at a class's end, twelve for a scope.
_DIGEST = re.compile(r"-[0-9a-f]{6}$")


def dollar_text(amount: float | None) -> str:
    """Return US dollars as a text: ``?`` for an unknown amount, never zero for a small one."""
    if amount is None:
        return "?"
    if 0 < abs(amount) < 0.00005:
        return "<$0.0001" if amount > 0 else ">-$0.0001"
    return f"{'-' if amount < 0 else ''}${abs(amount):,.4f}"


def trimmed(title: str) -> str:
    """Return a title without the punctuation that a cut request ends with."""
    return title.rstrip(" ,;:") or title


def class_title(known: Mapping[str, ClassInfo], key: str | None) -> str:
    """Return what people call the class of a key; a class without a title gets its name's words."""
    if key is None:
        return ""
    info = known.get(key)
    name = ClassKey.parse(key).name
    return trimmed(info.title) if info else _DIGEST.sub("", name).replace("-", " ") or name


def naming(known: Mapping[str, ClassInfo], key: str) -> dict[str, str | None]:
    """Return a class's title and one of its requests (None: none may be kept), for a template."""
    info = known.get(key)
    return {"title": class_title(known, key), "example": info.example if info else None}


def with_titles(text: str, known: Mapping[str, ClassInfo], key: str | None) -> str:
    """Return a text that speaks of a class by its key or name with the title in their place."""
    if key is None:
        return text
    title = f"“{class_title(known, key)}”"
    return text.replace(key, title).replace(ClassKey.parse(key).name, title)
