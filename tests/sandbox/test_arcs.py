"""Each kind of arc is found, told apart, and named; and recording changes no answer."""

import warnings

import hypothesis
import pytest
from hypothesis import strategies as st

from toolmint.core.sandbox import FunctionCall, Given, Program, RunLimits, SandboxRun
from toolmint.core.values import Value
from toolmint.sandbox.forkserver import ForkServer
from toolmint.sandbox.guest.arcs import arc_facts, instrumented
from toolmint.sandbox.guest.worker import GuestCall, run_calls

pytestmark = pytest.mark.anyio

BODIES: dict[str, tuple[str, Value, Value, str]] = {
    "if": ("if x == 2:\n  return 'a'\n return 'b'", 1, 2, "x == 2 is true"),
    "else": ("if x == 1:\n  return 'a'\n return 'b'", 1, 2, "x == 1 is false"),
    "elif": (
        "if x == 1:\n  return 1\n elif x == 2:\n  return 2\n return 3",
        3,
        2,
        "x == 2 is true",
    ),
    "while": (
        "while x > 5:\n  x = x - 7\n return x",
        3,
        8,
        "while x > 5: a pass",
    ),
    "no pass": (
        "while x > 5:\n  x = x - 7\n return x",
        9,
        3,
        "while x > 5: no pass",
    ),
    "for": (
        "s = 0\n for y in range(x):\n  s += y\n return s",
        0,
        3,
        "for ... in range(x): a pass",
    ),
    "a further pass": (
        "s = 0\n for y in range(x):\n  s += y\n return s",
        1,
        2,
        "for ... in range(x): a further pass",
    ),
    "items of a comprehension": ("return [y for y in x]", [1], [1, 2], "for ... in x: more items"),
    "no item of a comprehension": ("return [y for y in x]", [1], [], "for ... in x: nothing"),
    "empty for": (
        "s = 0\n for y in range(x):\n  s += y\n return s",
        3,
        0,
        "for ... in range(x): no pass",
    ),
    "for else": (
        "for y in range(5):\n  if y == x:\n   break\n else:\n  return 'none'\n return 'one'",
        3,
        7,
        "not left early",
    ),
    "conditional expression": ("return 'a' if x == 1 else 'b'", 1, 2, "x == 1 is false"),
    "filter": ("return [y for y in range(x) if y == 3]", 2, 5, "filter y == 3 is true"),
    "assert": (
        "try:\n  assert x < 9\n except AssertionError:\n  return 0\n return 1",
        1,
        50,
        "x < 9 is false",
    ),
    "handler": (
        "try:\n  return 6 // x\n except ZeroDivisionError:\n  return 0",
        2,
        0,
        "except Zero",
    ),
    "case": (
        "match x:\n  case 1:\n   return 'a'\n  case 2:\n   return 'b'\n return 'c'",
        1,
        2,
        "case 2",
    ),
    "no case": ("match x:\n  case 1:\n   return 'a'\n return 'c'", 1, 5, "no case matches"),
    "alternative of a case": ("match x:\n  case 1 | 2:\n   return 'a'\n return 'b'", 1, 2, "key 2"),
    "condition of a case": (
        "match x:\n  case y if y > 5:\n   return 'a'\n return 'b'",
        1,
        9,
        "its condition is true",
    ),
    "and": (
        "if x != 1 and x != 2:\n  return 'a'\n return 'b'",
        1,
        2,
        "x != 2 is false and decides",
    ),
    "or": ("if x == 1 or x == 2:\n  return 'a'\n return 'b'", 1, 2, "x == 2 is true and decides"),
    "value of or": ("return x or 'nothing'", 3, 0, "x is false"),
    "comparison as a value": ("return x == 3", 1, 3, "x == 3 is true"),
    "key": ("return {'km': 1, 'mi': 2}[x]", "km", "mi", "key 'mi'"),
    "key of a named table": ("T = {'km': 1, 'mi': 2}\n return T[x]", "km", "mi", "key 'mi'"),
    "get": ("T = {'km': 1, 'mi': 2}\n return T.get(x, 0)", "km", "mi", "key 'mi'"),
    "no key": ("T = {'km': 1, 'mi': 2}\n return T.get(x, 0)", "km", "ell", "no key of the table"),
    "member": ("return 1 if x in ('a', 'b') else 0", "a", "b", "key 'b'"),
    "place": ("return ['a', 'b', 'c'][x]", 0, -1, "key 'c'"),
    "words": ("D = 'mon tue wed'.split()\n return D.index(x)", "mon", "wed", "key 'wed'"),
    "row": (
        "for k, v in (('km', 1), ('mi', 2)):\n  if k == x:\n   return v\n return 0",
        "km",
        "mi",
        "k == x is true (row 2 of the table)",
    ),
    "row of a filter": (
        "return next((v for k, v in {'km': 1, 'mi': 2}.items() if k == x), 0)",
        "km",
        "mi",
        "filter k == x is true (row 2 of the table)",
    ),
    "regular expression": ("return bool(re.search('[0-9]', x))", "a", "1", "matches"),
    "alternative": ("return re.fullmatch('(?:add|sub) [0-9]', x)[0]", "add 1", "sub 1", "part 2"),
    "optional": ("return re.fullmatch('-?[0-9]', x)[0]", "1", "-1", "part 1"),
    "left out": ("return re.fullmatch('-?[0-9]', x)[0]", "-1", "1", "part 2"),
    "one of some characters": ("return re.fullmatch('1([+*])1', x)[1]", "1+1", "1*1", "part 2"),
    "with the groups counted": (
        "return list(re.fullmatch('(a)(?:b|cc)', x).groups())",
        "ab",
        "acc",
        "part 2",
    ),
    "finditer": ("return [m[0] for m in re.finditer('a|bb', x)]", "a", "bb", "part 2"),
    "sub": ("return re.sub('a|bb', '-', x)", "a", "bb", "part 2"),
    "nothing to replace": ("return re.sub('a', '-', x)", "a", "b", "does not match"),
    "equality": ("return 'a' if x < 10 else 'b'", 3, 10, "x < 10: both are equal"),
    "one step from it": ("return 'a' if x < 10 else 'b'", 3, 9, "x < 10: one step apart"),
    "one step on the other side": (
        "return 'a' if x > 10 else 'b'",
        3,
        11,
        "x > 10: one step apart",
    ),
    "one step from a row of a table": (
        "for least, price in ((20, 3), (10, 2), (0, 1)):\n  if x >= least:\n   return price\n return 0",
        25,
        19,
        "x >= least: one step apart (row 1 of the table)",
    ),
    "one step from what a table has": ("return x < {'a': 5, 'b': 7}['b']", 2, 6, "one step apart"),
    "equality with a call": ("return 'a' if len(x) >= 2 else 'b'", "abc", "ab", "both are equal"),
    "equality in a chain": ("return 'a' if 1 <= x <= 12 else 'b'", 5, 12, "at 12: both are equal"),
    "step in a chain": ("return 'a' if 1 <= x <= 12 else 'b'", 5, 0, "at 1: one step apart"),
    "the larger of two": ("return max(x, 3)", 1, 5, "is the first"),
    "found": ("d = dict(zip((1, 2), (3, 4)))\n return d.get(x, 0)", 5, 1, "found"),
    "pairs": ("d = dict([('km', 1), ('mi', 2)])\n return d[x]", "km", "mi", "key 'mi'"),
    "default of next": ("return next((y for y in range(x)), 'no')", 2, 0, "the default"),
    "text that changes": ("return x.replace(',', '')", "1", "1,0", "changes it"),
    "function": (
        "def double(y):\n  return y * 2\n return double(x) if x > 3 else x",
        1,
        9,
        "double()",
    ),
    "lambda": ("f = lambda y: 'a' if y else 'b'\n return f(x)", 1, 0, "y is false"),
}


def source_of(body: str) -> str:
    return f"import re\ndef f(x):\n {body}\n"


async def taken(sandbox: ForkServer, source: str, given: Value) -> tuple[Value, set[str]]:
    """Return the result and the arcs of a call, in words."""
    call = FunctionCall(function="f", arguments=(given,))
    told = await sandbox.run(
        SandboxRun(source=source, calls=(FunctionCall(function="arc_facts"),), describe=True)
    )
    plain = await sandbox.run(SandboxRun(source=source, calls=(call,)))
    found = await sandbox.run(SandboxRun(source=source, calls=(call,), arcs=True))
    assert (found.status, found.value) == (plain.status, plain.value) == ("ok", plain.value)
    facts, arcs = told.value[0], int(found.arcs, 16)
    lines = facts["lines"] if isinstance(facts, dict) else None
    assert isinstance(lines, list) and arcs.bit_length() <= len(lines)
    return found.value[0], {str(one) for place, one in enumerate(lines) if arcs >> place & 1}


@pytest.mark.parametrize("kind", BODIES)
async def test_an_arc_is_found_by_the_call_alone_that_took_it(
    kind: str, sandbox: ForkServer
) -> None:
    body, one, other, said = BODIES[kind]
    _, before = await taken(sandbox, source_of(body), one)
    _, after = await taken(sandbox, source_of(body), other)
    new = after - before
    assert any(said in line for line in new), new
    assert all(line.startswith("line ") for line in new)


def run_here(source: str, value: Value, omit: int) -> tuple[str, int]:
    """Return the result, as JSON, and the arcs of a call that does not record some of them."""
    call = GuestCall("f", (("given", None),), ("value", None), fresh=False, refuses=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        made = instrumented(source, omit)
        recorder = made.recorder()
        said = run_calls(recorder.bind(made.code), [call], value, [], recorder)
    arcs, _, body = said.partition("\n")
    return body, int(arcs, 16)


@pytest.mark.parametrize("kind", BODIES)
def test_arcs_that_are_verified_are_left_out_and_every_other_one_is_told(kind: str) -> None:
    body, *values, _ = BODIES[kind]
    source = source_of(body)
    first, second = (run_here(source, value, 0)[1] for value in values)
    assert second & ~first
    for omit in (first, first & second, first | second, second & ~first, (1 << 4000) - 1):
        for value in values:
            whole, arcs = run_here(source, value, 0)
            assert run_here(source, value, omit) == (whole, arcs & ~omit)


PLAIN = """
import re
UNITS = {"km": 1000, "m": 1, "mi": 1609}
DAYS = ["mon", "tue", "wed"]
STEPS = ((50, 5), (20, 3), (0, 1))
FORM = re.compile(r"(-?\\d+) (km|mi?)(?: on (mon|tue|wed))?( please)?")

def solve(n, unit, day, polite, sizes):
    price = n * UNITS[unit]
    for least, times in STEPS:
        if n >= least:
            price *= times
            break
    if day is not None and day in DAYS and DAYS.index(day) < 2:
        price += sum(size for size in sizes if size > 1)
    if polite and (n > 9 or len(sizes) < 3):
        price -= 1
    known = {(one, one > 1): one for one in sizes}
    found = [known.get((one, len(sizes) > 1 and n >= 1)) for one in zip(sizes, DAYS)]
    return [price, found, [key[1] for key in known], UNITS.get(day, "none"), max(n, 3)]

def f(x):
    found = FORM.fullmatch(x[0])
    if found is None:
        return "none"
    day = found[3] or (x[1] and "mon") or None
    return solve(int(found[1]), found[2], day, bool(found[4]), x[1])
"""


@hypothesis.settings(deadline=None)
@hypothesis.given(
    number=st.integers(-3, 60),
    words=st.sampled_from(["km", "mi", "m", "m on tue", "km on wed please", "mi please", "x"]),
    sizes=st.lists(st.integers(0, 3), max_size=4),
    left_out=st.integers(0, (1 << 130) - 1),
)
def test_whichever_arcs_are_left_out_the_answer_and_all_others_are_the_same(
    number: int, words: str, sizes: list[int], left_out: int
) -> None:
    value: Value = [f"{number} {words}", [*sizes]]
    body, arcs = run_here(PLAIN, value, 0)
    assert arcs and arcs.bit_length() <= 200
    for omit in (left_out, arcs, arcs & left_out):
        assert run_here(PLAIN, value, omit) == (body, arcs & ~omit)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_a_function_that_only_loading_runs_records_nothing_and_keeps_its_numbers() -> None:
    source = "def twice(n):\n return n * 2 if n else 0\n"
    source += "def table(n):\n return [twice(k) // 2 for k in range(n) if k >= 0]\n"
    source += "T = table(5)\ndef f(x):\n return T[x] if x < 4 else 'none'\n"
    made = instrumented(source)
    assert made.plan.quiet_load
    body, arcs = run_here(source, 3, 0)
    lines = arc_facts(source)["lines"]
    taken = {line for number, line in enumerate(lines) if arcs >> number & 1}
    assert body == "[3]" and {"line 1: twice()", "line 3: table()"} < {*lines}
    assert taken == {"line 6: f()", "line 7: x < 4 is true", "line 7: x < 4: one step apart"}
    shared = instrumented(source + "def g(x):\n return table(x)\n")
    assert not shared.plan.quiet_load, "it may run later too"


async def test_a_process_that_records_nothing_more_still_says_so(sandbox: ForkServer) -> None:
    call, source = FunctionCall(function="f", arguments=(Given(),)), source_of("return x or 'none'")
    every = Program(source=source, calls=(call,), arcs=True, omit="f" * 40)
    found = await sandbox.call(every, "", "who asks")
    assert (found.value, found.arcs) == (("none",), "0")
    some = Program(source=source, calls=(call,), arcs=True, omit="1")
    assert (await sandbox.call(some, "", "who asks")).arcs not in {"", "0"}
    assert some.key != every.key


async def test_the_kinds_of_what_a_tool_computes_from_and_of_its_result_are_arcs(
    sandbox: ForkServer,
) -> None:
    source = "def solve(n, words):\n return words * n\ndef render(args, result):\n return result\n"
    source += "def f(x):\n return render({}, solve(x, ['a']))\n"
    _, none = await taken(sandbox, source, 0)
    _, two = await taken(sandbox, source, 2)
    assert {line.partition(": ")[2] for line in none - two} == {
        "n of solve is zero",
        "result of render is an empty list",
    }
    assert "line 1: words of solve is a list of one" in none & two


HARD = '''
import re
from functools import lru_cache

class Reader:
    """Reads."""
    UNITS = {"km": 1000, "m": 1}

    def __init__(self, text):
        self.__text = text

    def parts(self):
        for found in re.finditer(r"(?P<n>-?\\d+) *(km|m)\\b", self.__text):
            yield int(found["n"]), found[2], found.lastindex

@lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

def depth(n):
    return 0 if n <= 0 else 1 + (n > 0 and depth(n - 1) or 0)

def f(x):
    """Compute."""
    total = [n * Reader.UNITS[unit] for n, unit, last in Reader(x).parts() if n and last == 2]
    squares = {k: v for k, v in zip("abc", (1, 2, 3)) if v != 2}
    text = (x and x.upper()) or "none"
    if (size := len(total)) > 1 and not total[0] > total[1] > -5:
        text += "!"
    first, *rest = re.split("[ ,]+", x)
    try:
        value = total[5]
    except (IndexError, KeyError) as fault:
        value = str(fault)
    else:
        value += 1
    finally:
        size += 1
    match {"size": size, "rest": rest}:
        case {"size": 1}:
            kind = "none"
        case {"size": n, "rest": [_, *more]} if n > 2:
            kind = f"many {len(more)}"
        case _:
            kind = "one"
    many = sorted(total, key=lambda one: -one if one else 0)
    words = re.findall("a|b(c)?", x) + [re.sub(r"(a)|b", r"<\\\\1>", x, count=1)]
    return [total, squares, text, first, value, kind, many, words, fib(12), depth(40), x.split()]
'''


async def test_recording_changes_no_answer_and_sees_nothing_of_what_loads_the_module(
    sandbox: ForkServer,
) -> None:
    for given in ("", "3 km, -4 m and 5 km", "7 m", "abc b bc", "1 km, 1 m, 1 m, 1 m, 1 m, 1 m"):
        await taken(sandbox, HARD, given)
    loads = "def g(x):\n return 'a' if x == 1 else 'b'\nT = g(1)\ndef f(x):\n return g(x)\n"
    _, arcs = await taken(sandbox, loads, 2)
    assert {line.split(": ")[1] for line in arcs} == {"f()", "g()", "x == 1 is false"}


async def test_one_source_has_one_numbering_in_every_process_and_both_kinds_of_worker(
    sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    source = source_of("return {'a': 1, 'b': 2}.get(x) or (3 if x == 'c' else 4)")
    call = FunctionCall(function="f", arguments=("c",))
    program = Program(source=source, calls=(call,), arcs=True)
    found = {(await box.run(program.run(None))).arcs for box in (sandbox, sandbox, other_sandbox)}
    found |= {(await box.call(program, None, "o")).arcs for box in (sandbox, other_sandbox)}
    assert len(found) == 1 and "" not in found
    assert (await sandbox.call(Program(source=source, calls=(call,)), None, "o")).arcs == ""


async def test_calls_of_one_resident_worker_do_not_add_up_their_arcs(sandbox: ForkServer) -> None:
    source = source_of("return 'a' if x == 1 else 'b'")
    program = Program(
        source=source, calls=(FunctionCall(function="f", arguments=(Given(),)),), arcs=True
    )
    found = [(await sandbox.call(program, given, "owner")).arcs for given in (1, 2, 1, 2)]
    assert found[:2] == found[2:]
    assert int(found[0], 16) & int(found[1], 16) == 1, "both called the function, and no more"


async def test_recording_leaves_nothing_behind_in_a_resident_worker(sandbox: ForkServer) -> None:
    body = (
        "return [re.fullmatch('(?i:-?(a|bb)[+*]?)', x) is None, re.sub('a|b', '', x), x.strip('a')]"
    )
    call = FunctionCall(function="f", arguments=(Given(),))
    program = Program(source=source_of(body), calls=(call,), arcs=True, known="bb")
    before = dict(sandbox.residents.recycled)
    for given in ("a", "bb+", "c", "-a*", "", "A", "BB"):
        assert (await sandbox.call(program, given, "tidy")).status == "ok"
    assert program.key not in sandbox.residents.barred
    assert sandbox.residents.recycled["state"] == before.get("state", 0)


async def test_a_tool_that_cannot_be_instrumented_is_an_error_and_no_crash(
    sandbox: ForkServer,
) -> None:
    broken = SandboxRun(
        source="def f(:", calls=(FunctionCall(function="arc_facts"),), describe=True
    )
    assert (await sandbox.run(broken)).error == "SyntaxError"
    deep = f"def f(x):\n return {'-' * 9000}1\n"
    run = SandboxRun(source=deep, calls=(FunctionCall(function="f", arguments=(1,)),), arcs=True)
    assert (await sandbox.run(run)).status in {"error", "memory", "killed"}


async def test_a_large_result_is_measured_without_its_arcs(sandbox: ForkServer) -> None:
    call = FunctionCall(function="f", arguments=(1,))
    limits = RunLimits(result_bytes=1000)
    source = source_of("return 'a' * 990 if x == 1 else ''")
    run = SandboxRun(source=source, calls=(call,), limits=limits, arcs=True)
    assert (await sandbox.run(run)).status == "ok"
