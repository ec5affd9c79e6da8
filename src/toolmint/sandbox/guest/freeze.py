"""Makes the preloaded modules and their classes read-only.

Why: a worker that serves several requests must not carry anything from one to the next. A module or a
class that cannot be assigned to cannot be patched, and no value can be hidden on it.
"""

import ctypes
import sys
from types import ModuleType

_IMMUTABLE_TYPE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE of CPython's object.h
_FLAGS_OFFSET = 168  # of tp_flags in PyTypeObject, on a 64-bit build with the global lock


class ReadOnlyModule(ModuleType):
    """A module whose attributes can be read alone."""

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse."""
        raise AttributeError(
            f"module {self.__name__!r} is read-only: keep values in arguments and results"
        )

    def __delattr__(self, name: str) -> None:
        """Refuse."""
        raise AttributeError(f"module {self.__name__!r} is read-only")


def _flags_are_where_expected() -> bool:
    samples = (int, dict, ModuleType, ReadOnlyModule)
    return all(
        ctypes.c_ulong.from_address(id(one) + _FLAGS_OFFSET).value == one.__flags__
        for one in samples
    )


def _classes() -> list[type]:
    found: dict[int, type] = {id(type): type}
    left: list[type] = [object]
    while left:
        for one in type.__subclasses__(left.pop()):
            if id(one) not in found:
                found[id(one)] = one
                left.append(one)
    return list(found.values())


def freeze_classes() -> int:
    """Make every class that exists now immutable, and return how many are; 0 where it is not possible.

    The interpreter itself refuses assignments to a class with this flag. It is set in memory, as Python has
    no call for it; where the layout of a class is not the expected one, nothing is changed.
    """
    if not _flags_are_where_expected():
        return 0
    classes = _classes()
    for one in classes:
        ctypes.c_ulong.from_address(id(one) + _FLAGS_OFFSET).value |= _IMMUTABLE_TYPE
    return len(classes)


def freeze_modules() -> None:
    """Make every module that is loaded now read-only."""
    for module in list(sys.modules.values()):
        if type(module) is ModuleType:
            module.__class__ = ReadOnlyModule
