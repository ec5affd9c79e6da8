"""Finds what a call left behind in the interpreter of a resident worker.

Two looks: a quick one after each call at the settings of the interpreter, and a thorough one now and then
at everything that the preloaded modules hold. What is found ends the process. Code that wants to hide from
both can, as it runs in the same interpreter; ``residence`` keeps such code out, and the host compares a
known input besides.
"""

import _thread
import atexit
import csv
import decimal
import gc
import sys
from collections import deque
from collections.abc import Callable, Iterable
from operator import attrgetter, is_
from types import FunctionType, MethodType, ModuleType
from typing import Any, cast

from toolmint.sandbox.guest.residence import forbidden

# Caches change in honest use, and what they hold has no influence on results.
_CACHE_WORDS = ("cache", "registry", "_abc_", "pattern")
_INSTANCE_MODULES = frozenset({"calendar", "json", "random", "string", "html", "decimal"})


# Called after each call: bound once, as looking a name up on a read-only module is slow.
_LENGTHS = (sys.modules, sys.meta_path, sys.path_hooks, sys.path, gc.callbacks)
_SETTINGS: tuple[Callable[[], object], ...] = (
    sys.getrecursionlimit,
    sys.gettrace,
    sys.getprofile,
    sys.getswitchinterval,
    gc.isenabled,
    gc.get_threshold,
    cast("Callable[[], int]", getattr(atexit, "_ncallbacks", int)),  # nothing public counts them
    getattr(sys, "get_int_max_str_digits", int),
    cast("Callable[[], int]", getattr(_thread, "_count", int)),  # of all threads
)


def _settings() -> list[object]:
    """Return what a program could set that changes how later code runs."""
    return [one() for one in _SETTINGS] + [*map(len, _LENGTHS)]


_PARTS = ("__code__", "__defaults__", "__kwdefaults__")
_attributes_of = attrgetter("__dict__")


def _changes(value: Any) -> bool:
    """Return whether a value's contents can change: a function's can, too."""
    if isinstance(value, FunctionType):
        return True
    kind = type(value).__mro__
    return any(one in kind for one in (dict, list, deque, set, bytearray))


def _parts(value: Any) -> tuple[Iterable[object], ...]:
    """Return what a container holds, as it stands in it."""
    if not isinstance(value, dict):
        return (value,)
    held = cast("dict[object, object]", value)
    return (held, held.values())


class _Containers:
    """Containers with what they held: the very same objects in the same order."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, Any, int, tuple[list[object], ...]]] = []

    def add(self, where: str, value: Any) -> None:
        """Note a container and what it holds."""
        kept = tuple([*part] for part in _parts(value))
        self._kept.append((where, value, len(value), kept))

    def changed(self) -> str:
        """Return the name of one that holds something else now; an empty text: none does."""
        for where, value, size, kept in self._kept:
            if len(value) != size or not all(map(_holds, _parts(value), kept)):
                return where
        return ""


def _holds(part: Iterable[object], kept: list[object]) -> bool:
    return all(map(is_, part, kept))


class _Functions:
    """Functions with their code and defaults; what attributes they have is in ``_Containers``."""

    def __init__(self, names: list[str], functions: list[FunctionType]) -> None:
        self._names, self._functions = names, functions
        self._parts = [(one, [*map(one, functions)]) for one in map(attrgetter, _PARTS)]
        self._attributes = [*map(len, map(_attributes_of, functions))]

    def changed(self) -> str:
        """Return the name of one that is another function now; an empty text: none is."""
        functions = self._functions
        for part, kept in self._parts:
            if not all(map(is_, map(part, functions), kept)):
                return next(
                    name
                    for name, one, old in zip(self._names, functions, kept, strict=True)
                    if part(one) is not old
                )
        now = [*map(len, map(_attributes_of, functions))]
        if now == self._attributes:
            return ""
        pairs = zip(self._names, self._attributes, now, strict=True)
        return next(name for name, old, new in pairs if old != new)


def _is_cache(name: str) -> bool:
    lowered = name.lower()
    return any(word in lowered for word in _CACHE_WORDS)


def _leaves(module: ModuleType) -> list[tuple[str, object]]:
    """Return the mutable values of a module: of itself, of its classes and of its instances."""
    found: list[tuple[str, Any]] = []
    for name, value in list(vars(module).items()):
        where = f"{module.__name__}.{name}"
        if _is_cache(name) or (name.startswith("__") and name.endswith("__")):
            continue
        if isinstance(value, type):
            members = list(vars(value).items())
            found += [(f"{where}.{n}", v) for n, v in members if not _is_cache(n)]
        elif not isinstance(value, (ModuleType, MethodType)):
            found.append((where, value))
            fields: Any = getattr(value, "__dict__", None)
            if isinstance(fields, dict) and module.__name__ in _INSTANCE_MODULES:
                found.append((f"{where}.__dict__", cast("object", fields)))
    return [(where, value) for where, value in found if _changes(value)]


def _reachable(names: tuple[str, ...]) -> list[ModuleType]:
    """Return these modules, and those that their names lead to: ``json.encoder`` by ``json``.

    Names that no resident program may use (``residence``) lead nowhere.
    """
    found: dict[str, ModuleType] = {}
    left = [one for one in map(sys.modules.get, names) if one is not None]
    while left:
        module = left.pop()
        if module.__name__ in found:
            continue
        found[module.__name__] = module
        for name, value in vars(module).items():
            if isinstance(value, ModuleType) and not name.startswith("_") and not forbidden(name):
                left.append(value)
    return list(found.values())


class Leftovers:
    """A picture of the interpreter; built once, before any model-written code runs.

    Args:
        names: the modules that programs may import. They are looked at thoroughly, with the built-in names
            and all modules that those lead to.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        modules = _reachable(("builtins", *names))
        self._spaces = [(one, [*vars(one).values()]) for one in modules]
        leaves: dict[int, tuple[str, Any]] = {}
        for module in modules:
            for where, value in _leaves(module):
                leaves.setdefault(id(value), (where, value))
        self._containers = _Containers()
        functions: dict[str, FunctionType] = {}
        for where, value in leaves.values():
            if not isinstance(value, FunctionType):
                self._containers.add(where, value)
                continue
            functions[where] = value
            if value.__dict__:
                self._containers.add(where, value.__dict__)
        self._functions = _Functions([*functions], [*functions.values()])
        self._registered = self._registers()
        self._settings: list[object] = []

    def begin(self) -> None:
        """Take the settings of this process as those to keep; call it after the fork."""
        self._settings = _settings()

    def quick(self) -> str:
        """Return what setting of the interpreter has changed; an empty text: none."""
        now = _settings()
        if now == self._settings:
            return ""
        pairs = zip(self._settings, now, strict=True)
        return f"an interpreter setting: {next(f'{a!r} -> {b!r}' for a, b in pairs if a != b)}"

    def thorough(self) -> str:
        """Return what the preloaded modules hold that they did not hold at first; an empty text: nothing."""
        for module, kept in self._spaces:
            now = vars(module)
            same = len(now) == len(kept) and all(map(is_, now.values(), kept))
            if not same and not self._same(now, kept):
                return f"a name of the module {module.__name__}"
        if where := self._functions.changed() or self._containers.changed():
            return where
        return "" if self._registers() == self._registered else "a setting of decimal or csv"

    @staticmethod
    def _same(now: dict[str, Any], kept: list[Any]) -> bool:
        """Return whether nothing but caches of a module has changed: those are replaced in honest use."""
        if len(now) != len(kept):
            return False
        pairs = zip(now.items(), kept, strict=True)
        return all(_is_cache(name) for (name, value), known in pairs if value is not known)

    @staticmethod
    def _registers() -> tuple[object, ...]:
        dialects = sorted(csv.list_dialects())
        contexts = (decimal.DefaultContext, decimal.BasicContext, decimal.ExtendedContext)
        return (csv.field_size_limit(), dialects, *map(repr, contexts))
