"""What answers say of themselves in their headers: which version gave them, or why the strong model did."""

from typing import Any

from toolmint.gateway.asgi import Headers
from toolmint.serving.error_bound import ErrorBound
from toolmint.serving.lifecycle import bound_status
from toolmint.serving.lookup import ActiveVersion, LookupResult


def shown_of(bound: ErrorBound, entry: ActiveVersion, title: str) -> tuple[dict[str, Any], Headers]:
    """Return what every answer of a version says of it: in the body and in the headers."""
    name, version, status = entry.key.name, entry.record.version, bound_status(entry.tally, bound)
    facts = {"class": name, "title": title, "version": version, "proof": status._asdict()}
    headers = [
        (b"x-toolmint-cache", b"hit"),
        (b"x-toolmint-tool", f"{name}@{version}".encode()),
        (b"x-toolmint-proof", str(status).encode()),
    ]
    return facts, headers


def marks_of(found: LookupResult, why: str, nothing: LookupResult) -> Headers:
    """Return the headers that say why the strong model answers; ``nothing`` is found where none was asked."""
    word = b"bypass" if found is nothing else b"miss"
    if found.mode in {"audit", "shadow"}:
        word = found.mode.encode()
    marks: Headers = [(b"x-toolmint-cache", word), (b"x-toolmint-tier", b"strong")]
    if word == b"bypass":
        marks.append((b"x-toolmint-why", why.encode("latin-1", "replace").replace(b"\n", b" ")))
    return marks
