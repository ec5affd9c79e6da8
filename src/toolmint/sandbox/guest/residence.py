"""Whether a program may share one process among its requests: what its source cannot reach, it cannot keep.

A program that names none of the ways to change the interpreter has none: modules and classes are
read-only (``freeze``), and each request has fresh copies of the program's own module. Any other program is
not refused: it has one process a call. This is no wall against an attack; the kernel's is. It keeps state
from being carried on by accident, and makes doing it on purpose hard.
"""

import ast
import symtable
from collections.abc import Iterator

_WAYS_INSIDE = """
    getattr setattr delattr exec eval compile globals vars open input breakpoint attrgetter methodcaller
    get_field get_value get_type_hints ForwardRef FunctionType CodeType FrameType TracebackType LambdaType
    GeneratorType MethodType gi_frame cr_frame ag_frame tb_frame f_back f_globals f_locals f_builtins
    gi_code cr_code func_globals mro register register_dialect unregister_dialect field_size_limit
    setlocale tzset setfirstweekday
    sys os posix gc builtins signal threading _thread atexit importlib inspect ctypes weakref marshal pickle
    copyreg resource socket select subprocess warnings codecs linecache traceback
    process_time process_time_ns thread_time thread_time_ns clock_gettime clock_gettime_ns
"""
_COMMON_DUNDERS = """
    __init__ __new__ __name__ __doc__ __repr__ __str__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__
    __len__ __iter__ __next__ __contains__ __getitem__ __setitem__ __call__ __add__ __radd__ __sub__ __rsub__
    __mul__ __rmul__ __truediv__ __floordiv__ __mod__ __pow__ __neg__ __abs__ __bool__ __int__ __float__
    __format__ __enter__ __exit__ __post_init__ __slots__ __annotations__ __reversed__ __index__ __and__
    __or__ __xor__ __invert__ __missing__ __future__ __file__ __all__ __module__ __qualname__
"""
_INSIDE, _COMMON = frozenset(_WAYS_INSIDE.split()), frozenset(_COMMON_DUNDERS.split())
_RANDOM, _OWN_RANDOM = "random", "Random"
"""The numbers of the module follow from those drawn before; a generator of a tool's own begins anew."""
_OF_TUPLES = frozenset({"_asdict", "_replace", "_fields", "_make"})


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(one.asname or one.name).split(".")[0] for one in node.names}
    return found


def forbidden(name: str) -> bool:
    """Return whether a name leads into the interpreter."""
    if name.startswith("__"):
        return name not in _COMMON
    return name in _INSIDE


def _names(table: symtable.SymbolTable) -> Iterator[str]:
    """Yield each forbidden name that is looked up among the built-in ones.

    A local variable that has such a name, as ``input`` often does, reaches nothing.
    """
    local = table.get_type() == "function"
    for symbol in table.get_symbols():
        seen = symbol.is_referenced() and not (local and not symbol.is_global())
        if seen and forbidden(symbol.get_name()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _names(child)


def _draws(tree: ast.Module) -> bool:
    """Return whether a program does anything with the module ``random`` but make a generator of its own."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.asname or one.name for one in node.names if one.name == _RANDOM}
        if (
            isinstance(node, ast.ImportFrom)
            and node.module == _RANDOM
            and any(one.name != _OWN_RANDOM for one in node.names)
        ):
            return True
    uses = good = 0
    for node in ast.walk(tree):
        uses += isinstance(node, ast.Name) and node.id in names
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            good += node.value.id in names and node.attr == _OWN_RANDOM
    return uses != good


def _root(node: ast.expr) -> str | None:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _attribute(node: ast.Attribute, imported: set[str]) -> str:
    of = node.value.id if isinstance(node.value, ast.Name) else ""
    own = of in {"self", "cls"}
    if node.attr == "samples" or (node.attr == _RANDOM and of in imported):
        return f"draws from the module random by .{node.attr}"
    # A pattern is not code, and many a parser has one.
    if forbidden(node.attr) and (of, node.attr) != ("re", "compile"):
        return f"uses .{node.attr}"
    if node.attr.startswith("_") and not own and node.attr not in _OF_TUPLES | _COMMON:
        return f"uses .{node.attr}"
    return _changes(node, imported)


def _changes(node: ast.Attribute | ast.Subscript, imported: set[str]) -> str:
    root = _root(node)
    return "" if isinstance(node.ctx, ast.Load) or root not in imported else f"changes {root}"


def _statement(node: ast.AST, allowed: frozenset[str], imported: set[str]) -> str:
    """Return what a part of the program does that keeps it from being resident."""
    if isinstance(node, ast.Global):
        return f"declares {', '.join(node.names)} global"
    if isinstance(node, ast.Attribute):
        return _attribute(node, imported)
    if isinstance(node, ast.Subscript):
        return _changes(node, imported)
    if isinstance(node, ast.ImportFrom):
        names = [one.name for one in node.names]
        if any(name == "*" or name.startswith("_") or forbidden(name) for name in names):
            return f"imports {', '.join(names)} from {node.module}"
        modules = [node.module or "."]
    elif isinstance(node, ast.Import):
        modules = [one.name for one in node.names]
    else:
        return ""
    foreign = [one for one in modules if one not in allowed and one.split(".")[0] not in allowed]
    return f"imports {foreign[0]}" if foreign else ""


def reason_against(source: str, allowed_modules: frozenset[str]) -> str:
    """Return why a program has one process a call; an empty text: it may be resident.

    Raises:
        SyntaxError: the source is not Python.
    """
    tree = ast.parse(source)
    name = next(_names(symtable.symtable(source, "<tool>", "exec")), None)
    if name is not None:
        return f"it uses {name}"
    if _draws(tree):
        return "it draws from the module random"
    imported = _imported(tree)
    for node in ast.walk(tree):
        said = _statement(node, allowed_modules, imported)
        if said:
            return f"it {said} (line {getattr(node, 'lineno', 0)})"
    return ""
