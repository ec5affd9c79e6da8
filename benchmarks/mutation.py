"""Mutants of a tool, and the answers of a tool to many requests in one process of the sandbox.

The two programs below read made code, so their text is sent to the sandbox and nothing of it runs here.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import cast

from toolmint.core.sandbox import (
    FunctionCall,
    Given,
    Ref,
    RunLimits,
    Sandbox,
    SandboxResult,
    SandboxRun,
)
from toolmint.core.tool import Demonstration
from toolmint.core.values import Value
from toolmint.maker.program import ToolRun, answer_program, read_run

CHUNK = 62
"""Requests that one process answers."""
_LIMITS = RunLimits(seconds=60, result_bytes=8 << 20)
_CHUNK_LIMITS = RunLimits(seconds=3, result_bytes=8 << 20)

MUTATOR = """
import ast, random, time
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.FloorDiv,
              ast.FloorDiv: ast.Mod, ast.Div: ast.Mult, ast.Pow: ast.Mult}
BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
REVERSED = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE, ast.Eq: ast.NotEq,
            ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list", "reversed": "list",
         "reverse": "sort", "sort": "reverse", "index": "count", "startswith": "endswith",
         "endswith": "startswith", "upper": "lower", "lower": "upper", "append": "remove",
         "divmod": "pow", "len": "hash", "extend": "append", "lstrip": "rstrip", "rstrip": "lstrip"}

def compares(node):
    for n, op in enumerate(node.ops):
        for name, swaps in (("boundary", BOUNDARY), ("comparison", REVERSED)):
            if type(op) in swaps:
                yield name, "ops", [*node.ops[:n], swaps[type(op)](), *node.ops[n + 1:]]

def constants(node):
    if type(node.value) is int:
        for step in (1, -1):
            yield "constant", "value", node.value + step
        if node.value:
            yield "sign", "value", -node.value
    elif type(node.value) is bool:
        yield "constant", "value", not node.value
    elif type(node.value) is str and node.value and not set(node.value) & set("\\\\\\\\()[]{}|?*+"):
        yield "text", "value", node.value[:-1]

def tables(node):
    for n in range(len(node.values) - 1):
        values = list(node.values)
        values[n], values[n + 1] = values[n + 1], values[n]
        yield "table values", "values", values

def branches(node):
    yield "negated condition", "test", ast.UnaryOp(ast.Not(), node.test)
    yield "branch never", "test", ast.Constant(False)
    yield "branch always", "test", ast.Constant(True)
    if isinstance(node, ast.If):
        if node.orelse:
            yield "branch of the other", "body", node.orelse
            yield "branch of the other", "orelse", node.body
        leaves = (ast.Return, ast.Raise, ast.Continue, ast.Pass)
        if not all(isinstance(one, leaves) for one in node.body):
            yield "branch empty", "body", [ast.Pass()]
        for n, line in enumerate(node.body):
            if isinstance(line, ast.Return) and line.value is not None:
                for made in returned(line.value):
                    yield "branch result", "body", [*node.body[:n], ast.Return(made), *node.body[n + 1:]]

def returned(value):
    yield ast.BinOp(value, ast.Add(), value)
    if isinstance(value, (ast.List, ast.Tuple)) and len(value.elts) > 1:
        yield type(value)(value.elts[::-1], ast.Load())
    if isinstance(value, (ast.ListComp, ast.BinOp, ast.Name, ast.Call, ast.Subscript)):
        yield ast.Subscript(value, ast.Slice(None, None, ast.Constant(-1)), ast.Load())

def loops(node):
    items = ast.Call(ast.Name("list", ast.Load()), [node.iter], [])
    last = ast.Slice(None, ast.Constant(-1))
    yield "loop without its last", "iter", ast.Subscript(items, last, ast.Load())
    back = ast.Slice(None, None, ast.Constant(-1))
    yield "loop backwards", "iter", ast.Subscript(items, back, ast.Load())
    if isinstance(node, ast.For):
        yield "loop once", "body", [*node.body, ast.Break()]

def edits(node):
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in ARITHMETIC:
        yield "arithmetic", "op", ARITHMETIC[type(node.op)]()
    if isinstance(node, ast.BinOp) and not isinstance(node.op, (ast.Add, ast.Mult)):
        yield "operands", "left", node.right
    if isinstance(node, ast.BoolOp):
        yield "and for or", "op", ast.Or() if isinstance(node.op, ast.And) else ast.And()
        for n in range(len(node.values)):
            left = node.values[:n] + node.values[n + 1:]
            yield "operand lost", "values", left if len(left) > 1 else left * 2
    if isinstance(node, ast.Compare):
        yield from compares(node)
    if isinstance(node, ast.Constant):
        yield from constants(node)
    if isinstance(node, ast.Dict):
        yield from tables(node)
    if isinstance(node, (ast.If, ast.IfExp)):
        yield from branches(node)
    if isinstance(node, ast.IfExp):
        yield "branch of the other", "body", node.orelse
        yield "branch of the other", "orelse", node.body
    if isinstance(node, ast.While):
        yield "negated condition", "test", ast.UnaryOp(ast.Not(), node.test)
    if isinstance(node, ast.comprehension):
        yield from list(loops(node))[:2]
        for n, test in enumerate(node.ifs):
            yield "filter lost", "ifs", node.ifs[:n] + node.ifs[n + 1:]
            yield "filter negated", "ifs", [*node.ifs[:n], ast.UnaryOp(ast.Not(), test), *node.ifs[n + 1:]]
    if isinstance(node, ast.For):
        yield from loops(node)
    if isinstance(node, ast.Name) and node.id in NAMES:
        yield "function", "id", NAMES[node.id]
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield "function", "attr", NAMES[node.attr]
    if isinstance(node, ast.Slice):
        if node.lower is None:
            yield "slice", "lower", ast.Constant(1)
        else:
            yield "slice", "lower", ast.BinOp(node.lower, ast.Add(), ast.Constant(1))
        if node.upper is not None:
            yield "slice", "upper", ast.BinOp(node.upper, ast.Sub(), ast.Constant(1))
    if isinstance(node, ast.Call) and len(node.args) == 2:
        yield "arguments", "args", node.args[::-1]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Name, ast.BinOp)):
        yield "index", "slice", ast.BinOp(node.slice, ast.Sub(), ast.Constant(1))
    if isinstance(node, (ast.FunctionDef, ast.For, ast.If, ast.While)):
        for n, line in enumerate(node.body):
            if not isinstance(line, ast.Return) and len(node.body) > 1:
                yield "statement lost", "body", [*node.body[:n], ast.Pass(), *node.body[n + 1:]]

def mutants(source, most):
    # Up to four times as many as are wanted, of places drawn by chance.
    whole, found = ast.unparse(ast.parse(source)), {}
    places = list(range(sum(1 for _ in ast.walk(ast.parse(source)))))
    random.Random(7).shuffle(places)
    for number in places:
        if len(found) >= 4 * most or time.process_time() > 5:
            break
        k = 0
        while True:
            tree = ast.parse(source)
            node = list(ast.walk(tree))[number]
            options = list(edits(node))
            if k >= len(options):
                break
            kind, name, value = options[k]
            setattr(node, name, value)
            try:
                text = ast.unparse(ast.fix_missing_locations(tree))
                ast.parse(text)
            except (SyntaxError, ValueError, RecursionError):
                text = whole
            if text != whole:
                found.setdefault(text, kind)
            k += 1
    return sorted([kind, text] for text, kind in found.items())
"""

ASKER = '''
import json
from toolmint.sandbox.guest.arcs import instrumented
from toolmint.sandbox.guest.worker import GuestCall, run_calls

def ask(source, calls, requests):
    """Return the four results and the arcs of each request; None where the tool failed."""
    try:
        made = instrumented(source)
    except Exception:
        return [None] * len(requests)
    recorder, calls = made.recorder(), [GuestCall.read(one) for one in calls]
    code = recorder.bind(made.code)
    found = []
    for request in requests:
        spaces = []
        try:
            arcs, _, body = run_calls(code, calls, request, spaces, recorder).partition("\\n")
            found.append([json.loads(body), arcs])
        except MemoryError:
            raise
        except BaseException:
            found.append(None)
        finally:
            for space in spaces:
                space.clear()
    return found
'''


async def mutants(sandbox: Sandbox, source: str, most: int) -> list[tuple[str, str]]:
    """Return mutants with their operators: as many of each operator as there are, in turns."""
    call = FunctionCall(function="mutants", arguments=(source, most))
    run = SandboxRun(source=MUTATOR, calls=(call,), limits=_LIMITS)
    found = (await sandbox.run(run)).value[0]
    groups: dict[str, list[str]] = defaultdict(list)
    for one in found if isinstance(found, list) else []:
        if isinstance(one, list):
            groups[str(one[0])].append(str(one[1]))
    rng, chosen = random.Random(7), list[tuple[str, str]]()
    for texts in groups.values():
        rng.shuffle(texts)
    while len(chosen) < most and any(groups.values()):
        chosen += [(kind, texts.pop()) for kind, texts in sorted(groups.items()) if texts]
    return chosen[:most]


async def ask(sandbox: Sandbox, source: str, requests: Sequence[Demonstration]) -> list[ToolRun]:
    """Return a tool's run of each request, with the arcs that it took."""
    plain: list[Value] = [
        {
            "function": call.function,
            "arguments": [_source(given) for given in call.arguments],
            "spread": _source(call.spread),
            "fresh": call.fresh,
            "refuses": call.refuses,
        }
        for call in answer_program(source).calls
    ]
    texts, found, hangs = [one.input for one in requests], list[ToolRun](), False
    for start in range(0, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        call = FunctionCall(function="ask", arguments=(source, plain, [*part]))
        run = SandboxRun(source=ASKER, calls=(call,), limits=_CHUNK_LIMITS)
        # A tool that hangs on one request has no answer to those beside it and after it.
        result = SandboxResult(status="timeout") if hangs else await sandbox.run(run)
        hangs = result.status == "timeout"
        rows = result.value[0] if result.status == "ok" else None
        rows = rows if isinstance(rows, list) else [None] * len(part)
        found += [_run_of(text, row) for text, row in zip(part, rows, strict=True)]
    return found


def is_wrong(demo: Demonstration, run: ToolRun) -> bool:
    """Return whether a request was answered, and not as it should be."""
    return run.answer is not None and run.answer != demo.target


def _run_of(text: str, row: object) -> ToolRun:
    match row:
        case [list(), str(arcs)]:
            known = tuple(cast("list[list[Value]]", row)[0])
            return read_run(text, SandboxResult(status="ok", value=known, arcs=arcs))
        case _:
            return ToolRun(status="failed", why="no result")


def _source(given: Value | Ref | Given | None) -> Value:
    """Return where a call's value comes from, as a worker reads it."""
    match given:
        case Ref():
            return {"ref": given.ref}
        case Given():
            return {"given": None}
        case _:
            return {"value": given}
