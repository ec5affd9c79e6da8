"""The names of tools' sources, with options: ``openapi.yaml?prefix=pets_&key=bearer:PETS_KEY``."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple
from urllib.parse import parse_qsl

from toolmint.assembly.settings import secret
from toolmint.core.errors import ConfigError

KINDS_OF_OPTION: Mapping[str, tuple[str, ...]] = {
    "prefix": ("openapi", "mcp", "python", "made", "program"),
    "only": ("openapi", "mcp", "python", "made", "program"),
    "base_url": ("openapi",),
    "private": ("openapi",),
    "key": ("openapi", "mcp"),
    "header": ("openapi", "mcp"),
    "env": ("mcp",),
}
"""The options, and the kinds of sources that each is for."""
SOURCE_HELP = (
    "FILE or URL of an OpenAPI document, mcp:COMMAND, mcp:http://..., python:FILE.py, made, or program; "
    "options after a '?', joined by '&': prefix, only (names), base_url, private=allow, key "
    "(SCHEME:VARIABLE), header (NAME:VARIABLE or NAME:=TEXT), env (VARIABLE)"
)
_NEAR = 0.8
WEB = ("http://", "https://")


class Source(NamedTuple):
    """A place that tools come from: what kind it is, where, and options with their values in order."""

    kind: str
    where: str
    options: Mapping[str, tuple[str, ...]]

    def option(self, name: str) -> str | None:
        """Return the last value of an option, or None."""
        return self.options[name][-1] if name in self.options else None


def source_of(text: str) -> Source:
    """Read the name of a source.

    In an address or a command, what stands after the last ``?`` is read as options if one of its names is an
    option; names of the address's own stay with it. Elsewhere all that stands after the ``?`` are options.

    Raises:
        ConfigError: an option is not known, or is not for this kind of source.
    """
    kind, where, foreign = _kind(text)
    before, mark, query = where.rpartition("?")
    if not mark or not _names(query):
        return Source(kind, where, {})
    pairs = [(pair, *_pair(pair)) for pair in query.split("&") if pair]
    # A command's own question mark has no options of ours; an address may have both kinds.
    ours = any(name in KINDS_OF_OPTION for _, name, _ in pairs)
    address = foreign and (where.startswith(WEB) or not ours)
    own: list[str] = []
    options: dict[str, tuple[str, ...]] = {}
    for raw, name, value in pairs:
        if name in KINDS_OF_OPTION:
            _check(name, value, kind, text)
            options[name] = (*options.get(name, ()), value)
        elif address and not get_close_matches(name, KINDS_OF_OPTION, n=1, cutoff=_NEAR):
            own.append(raw)
        else:
            raise _unknown(name, text)
    if own:
        before += "?" + "&".join(own)
    return Source(kind, before if options else where, options)


def _kind(text: str) -> tuple[str, str, bool]:
    """Return a source's kind, the rest of its name, and whether that may have a ``?`` of its own."""
    kind, colon, rest = text.partition(":")
    for name in ("made", "program"):
        if text == name or text.startswith(f"{name}?"):
            return name, text.removeprefix(name), False
    if kind == "mcp" and colon:
        return "mcp", rest, True
    if kind == "python" and colon:
        return "python", rest, False
    return "openapi", text, text.startswith(WEB)


def _names(query: str) -> bool:
    """Return whether a text can be options: a command may hold a question mark too."""
    first = query.partition("=")[0]
    return "=" in query and first.replace("_", "").replace("%", "").isalnum()


def _pair(pair: str) -> tuple[str, str]:
    # A name with an encoded letter is the address's own, such as %6Bey for key.
    raw = pair.partition("=")[0]
    found = parse_qsl(pair, keep_blank_values=True)
    return raw, found[0][1] if found else ""


def _unknown(name: str, text: str) -> ConfigError:
    near = get_close_matches(name, KINDS_OF_OPTION, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(KINDS_OF_OPTION)}"
    return ConfigError(f"unknown option {name!r} in {text!r}; {hint}")


def _check(name: str, value: str, kind: str, text: str) -> None:
    if kind not in KINDS_OF_OPTION[name]:
        kinds = ", ".join(KINDS_OF_OPTION[name])
        raise ConfigError(f"the option {name!r} in {text!r} is for {kinds}, not for {kind}")
    if not value:
        raise ConfigError(f"the option {name!r} in {text!r} has no value")
    if name == "private" and value != "allow":
        raise ConfigError(f"private={value!r} in {text!r} must be 'allow'")
    if name == "base_url" and not value.startswith(WEB):
        raise ConfigError(f"base_url={value!r} in {text!r} must begin with http:// or https://")
    if name in {"key", "header"} and (":" not in value or value.startswith(":")):
        form = "SCHEME:VARIABLE" if name == "key" else "NAME:VARIABLE or NAME:=TEXT"
        raise ConfigError(f"{name}={value!r} in {text!r} must be {form}")


def names_of(values: Sequence[str]) -> list[str]:
    """Return the names of an option that takes several, joined by commas or given several times."""
    return [name for value in values for name in value.split(",") if name]


def variable_of(value: str, option: str) -> tuple[str, str]:
    """Return a name and a value of ``NAME:VARIABLE``, ``NAME:=TEXT``, or ``VARIABLE`` (for ``env``).

    Raises:
        ConfigError: the variable is not set.
    """
    name, colon, rest = value.partition(":")
    if colon and rest.startswith("=") and option != "key":
        return name, rest[1:]
    variable = rest if colon else name
    found = secret(variable)
    if found is None:
        raise ConfigError(
            f"{option}={value!r} needs the environment variable {variable!r}, which is not set",
            code="tool-key",
        )
    return name, found


def variables_of(source: Source, option: str) -> dict[str, str]:
    """Return the names and values of an option that names variables.

    Raises:
        ConfigError: a variable is not set.
    """
    values = source.options.get(option, ())
    if option != "header":
        # Neither names nor variables have commas.
        values = tuple(names_of(values)) if not any(":=" in one for one in values) else values
    return dict(variable_of(one, option) for one in values)
