"""Tools that nothing keeps from being resident, and that try to see, or to change, another call.

Each has ``f(x)``; a true result is a success: the call saw what an earlier one left. Every one of them could
succeed where calls share a module, or is stopped where it tries (``test_stayers`` holds both).
"""

from tests.sandbox.hostile import HostileTool


def _(name: str, body: str, head: str = "") -> HostileTool:
    lines = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    return HostileTool(name, f"{head}\ndef f(x):\n{lines}\n")


def _mark(what: str) -> str:
    """Return code that sets an attribute of something, and tells whether it was there."""
    return (
        f"g = {what}\ntry:\n    return g.seen\nexcept AttributeError:\n    g.seen = 1\n    return 0"
    )


def _entry(what: str) -> str:
    """Return code that puts an entry into a dictionary, and tells whether it was there."""
    return f"d = {what}\nif 'seen' in d: return 1\nd.update({{'seen': 'utf_8'}})\nreturn 0"


def _item(what: str) -> str:
    """Return code that appends to a list, and tells whether that was there."""
    return f"a = {what}\nif 'seen' in a: return 1\na.append('seen')\nreturn 0"


OWN = [
    _("list", "a.append(x)\nreturn len(a) > 1", "a = []"),
    _("default", "return g(x)", "def g(x, b=[]):\n    b.append(x)\n    return len(b) > 1"),
    _(
        "closure",
        "return g()",
        "def make():\n    n = [0]\n    def g():\n        n[0] += 1\n        return n[0] > 1\n    return g\n"
        "g = make()",
    ),
    _("class", "C.n += 1\nreturn C.n > 1", "class C:\n    n = 0"),
    _("instance", "c.n = c.n + 1\nreturn c.n > 1", "class C:\n    n = 0\nc = C()"),
    _("own function", _mark("f")),
    _("counter", "return next(n) > 0", "import itertools\nn = itertools.count()"),
    _("iterator", "return next(n) > 0", "n = iter(range(99))"),
    _(
        "generator",
        "return next(g)",
        "def run():\n    yield 0\n    while True: yield 1\ng = run()",
    ),
    _(
        "sent",
        "return g.send(None) > 1",
        "def run():\n    n = 0\n    while True:\n        n += 1\n        yield n\ng = run()",
    ),
    _(
        "memoised",
        "g(1)\nreturn g.cache_info().hits > 0",
        "import functools\n@functools.lru_cache\ndef g(x):\n    return x",
    ),
    _("queue", "q.append(x)\nreturn len(q) > 1", "from collections import deque\nq = deque()"),
    _(
        "default dictionary",
        "d['n'] += 1\nreturn d['n'] > 1",
        "from collections import defaultdict\nd = defaultdict(int)",
    ),
    _(
        "file in memory",
        "b.write('x')\nreturn len(b.getvalue()) > 1",
        "import io\nb = io.StringIO()",
    ),
    _("bytes", "b.extend(b'x')\nreturn len(b) > 1", "b = bytearray()"),
    _("array", "a.append(1)\nreturn len(a) > 1", "from array import array\na = array('i')"),
    _(
        "own random numbers",
        "v = r.random()\nreturn v != random.Random(1).random()",
        "import random\nr = random.Random(1)",
    ),
]
SHARED = [
    _("list of keyword", _item("keyword.kwlist"), "import keyword"),
    _("soft keywords", _item("keyword.softkwlist"), "import keyword"),
    _("days of calendar", _item("calendar.mdays"), "import calendar"),
    _("schemes of urllib", _item("urllib.parse.uses_netloc"), "import urllib.parse"),
    _("entities", _entry("html.entities.html5"), "import html.entities"),
    _("names of entities", _entry("html.entities.name2codepoint"), "import html.entities"),
    _("entity definitions", _entry("html.entities.entitydefs"), "import html.entities"),
    _("escapes of json", _entry("json.encoder.ESCAPE_DCT"), "import json"),
    _("backslashes of json", _entry("json.decoder.BACKSLASH"), "import json"),
    _("aliases of locale", _entry("locale.locale_alias"), "import locale"),
    _("aliases of codecs", _entry("locale.encodings.aliases.aliases"), "import locale"),
    _("copiers", _entry("copy.dispatch_table"), "import copy"),
    _(
        "available hashes",
        "a = hashlib.algorithms_available\nif 'seen' in a: return 1\na.add('seen')\nreturn 0",
        "import hashlib",
    ),
    _("function of json", _mark("json.loads"), "import json"),
    _("function of a part of json", _mark("json.encoder.py_encode_basestring"), "import json"),
    _("function of textwrap", _mark("textwrap.dedent"), "import textwrap"),
    _("function of a borrowed module", _mark("dataclasses.copy.deepcopy"), "import dataclasses"),
    _("method of a class", _mark("json.JSONEncoder.encode"), "import json"),
    _("calendar's instance", _mark("calendar.c"), "import calendar"),
    _(
        "first weekday",
        "c = calendar.c\nif c.firstweekday == 6: return 1\nc.firstweekday = 6\nreturn 0",
        "import calendar",
    ),
    _(
        "default context",
        "c = decimal.DefaultContext\nif c.prec == 9: return 1\nc.prec = 9\nreturn 0",
        "import decimal",
    ),
    _(
        "extended context",
        "c = decimal.ExtendedContext\nif c.prec == 7: return 1\nc.prec = 7\nreturn 0",
        "import decimal",
    ),
    _(
        "this context",
        "c = decimal.getcontext()\nif c.prec == 7: return 1\nc.prec = 7\nreturn 0",
        "import decimal",
    ),
    _(
        "set context",
        "if decimal.getcontext().prec == 5: return 1\ndecimal.setcontext(decimal.Context(prec=5))\nreturn 0",
        "import decimal",
    ),
    _("module by another name", _mark("math"), "import math"),
    _("part of a module", _mark("json.encoder"), "import json"),
    _("module of a module", _mark("copy.types"), "import copy"),
    _(
        "function of a module's module",
        _mark("locale.encodings.normalize_encoding"),
        "import locale",
    ),
    _("class by another name", _mark("json.JSONEncoder"), "import json"),
    _("built-in class", _mark("dict")),
    _("built-in function", _mark("len")),
]
STAYERS = OWN + SHARED
BARRED = [
    _("module's random numbers", "return random.random() != 0.5", "import random"),
    _("seed", "random.seed(1)\nreturn 0", "import random"),
    _("random by another name", "r = random\nreturn r.random()", "import random"),
    _("random renamed", "return r.randint(1, 9)", "import random as r"),
    _("random of statistics", "return statistics.random.random()", "import statistics"),
    _("drawn samples", "return statistics.NormalDist(0, 1).samples(1)", "import statistics"),
    _("shuffled", "a = [1, 2, 3]\nshuffle(a)\nreturn a", "from random import shuffle"),
    _("processor time", "return time.process_time() > 0.1", "import time"),
    _("time of a thread", "return thread_time()", "from time import thread_time"),
    _("clock by number", "return time.clock_gettime(2)", "import time"),
]
"""What a resident process would show of earlier calls, and nothing could hide."""
