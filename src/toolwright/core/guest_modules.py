"""The modules that a made tool may import: standard library, loaded before the cage shuts."""

GUEST_MODULES: tuple[str, ...] = (
    "abc", "array", "ast", "base64", "bisect", "calendar", "cmath", "collections",
    "collections.abc", "contextlib", "copy", "csv", "dataclasses", "datetime", "decimal",
    "difflib", "enum", "fractions", "functools", "hashlib", "heapq", "html", "io", "itertools",
    "json", "keyword", "locale", "math", "numbers", "operator", "random", "re", "statistics",
    "string", "struct", "textwrap", "time", "types", "typing", "unicodedata", "urllib.parse",
    "uuid", "zlib", "__future__",
)  # fmt: skip
