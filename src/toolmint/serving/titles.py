"""What people call a request class: its title in place of the name that the store keeps, and back."""

import re
from collections.abc import Mapping

from toolmint.core.errors import InputError
from toolmint.core.namespace import ClassKey
from toolmint.core.store import ClassInfo, ToolStore

# Six digits of a digest make the name of a class unique that nobody named.
_DIGEST = re.compile(r"-[0-9a-f]{6}$")
_NAMED = re.compile(r"(?:[^\s/'\"]+/[0-9a-f]{12}/)?[\w-]+")


def trimmed(title: str) -> str:
    """Return a title without the punctuation that a cut request ends with."""
    return title.rstrip(" ,;:") or title


def class_title(known: Mapping[str, ClassInfo], key: str | None) -> str:
    """Return what people call the class of a key; a class without a title gets its name's words."""
    if key is None:
        return ""
    info = known.get(key)
    name = ClassKey.parse(key).name
    if info is not None and info.title != name:
        return trimmed(info.title)
    return _DIGEST.sub("", name).replace("-", " ") if _DIGEST.search(name) else name


def with_titles(text: str, known: Mapping[str, ClassInfo], key: str | None = None) -> str:
    """Return a text that speaks of classes by their keys or names with the titles in their place.

    Args:
        text: such as the reason of an answer.
        known: titles by key.
        key: the class that the text is about: of several classes of one name it is the one meant.
    """
    keys = [*known, *([key] if key is not None else [])]
    titles = {ClassKey.parse(one).name: class_title(known, one) for one in keys}
    titles |= {one: class_title(known, one) for one in keys}

    def called(found: re.Match[str]) -> str:
        title = titles.get(found[0])
        return found[0] if title is None or title == found[0] else f"“{title}”"

    return _NAMED.sub(called, text)


async def class_named(store: ToolStore, text: str) -> str:
    """Return the name of the class that a text names: by its name, or by a title that one class has.

    A text that is neither is returned as it is.

    Raises:
        InputError: several classes have this title.
    """
    known = await store.classes()
    if text in known:
        return text
    wanted = trimmed(text).casefold()
    found = sorted(key for key in known if class_title(known, key).casefold() == wanted)
    if not found or await store.versions(text):
        return text
    if len(found) > 1:
        raise InputError(
            f"{text!r} is the title of {len(found)} classes, give the name of one: {', '.join(found)}",
            code="class-ambiguous",
        )
    return found[0]
