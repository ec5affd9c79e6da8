"""Tools that try to carry something from one request to the next, and tools that break their process."""

from typing import NamedTuple


class HostileTool(NamedTuple):
    """A module with ``f(x)``, and the statuses that its calls may end with."""

    name: str
    source: str
    want: frozenset[str] = frozenset({"ok", "error"})


def _(name: str, body: str, head: str = "", *want: str) -> HostileTool:
    lines = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    return HostileTool(name, f"{head}\ndef f(x):\n{lines}\n", frozenset(want or {"ok", "error"}))


COUNT = "n = getattr({0}, 'seen', 0) + 1\n{0}.seen = n\nreturn n"
KEEPERS = [
    _("global of the module", "seen.append(x)\nreturn len(seen)", "seen = []"),
    _(
        "default argument",
        "return g(x)",
        "def g(x, box=[]):\n    box.append(x)\n    return len(box)",
    ),
    _("attribute of a module", COUNT.format("json"), "import json"),
    _("attribute of a class", COUNT.format("json.JSONEncoder"), "import json"),
    _("attribute of a function", COUNT.format("json.loads"), "import json"),
    _(
        "function attribute by name",
        "f2.seen = len(x) if not f2.__dict__ else 99\nreturn f2.seen",
        "from json import loads as f2",
    ),
    _(
        "built-in name",
        "n = builtins.__dict__.setdefault('n', [])\nn.append(x)\nreturn len(n)",
        "import builtins",
    ),
    _(
        "dictionary of a module",
        "d = vars(json)\nd['n'] = d.get('n', 0) + 1\nreturn d['n']",
        "import json",
    ),
    _(
        "globals of a function",
        "g = json.loads.__globals__\ng['n'] = g.get('n', 0) + 1\nreturn g['n']",
        "import json",
    ),
    _(
        "code of a function",
        "json.loads.__code__ = (lambda s, **k: 'FORGED').__code__\nreturn json.loads('1')",
        "import json",
    ),
    _("list of a module", "keyword.kwlist.append(x)\nreturn len(keyword.kwlist)", "import keyword"),
    _(
        "table of a module",
        "html.entities.html5[x] = x\nreturn len(html.entities.html5)",
        "import html, html.entities",
    ),
    _(
        "cache of a module",
        "re._cache['n'] = re._cache.get('n', 0) + 1\nreturn re._cache['n']",
        "import re",
    ),
    _(
        "cached function",
        "return len(g(x)) and g.cache_info().misses",
        "import functools\n@functools.lru_cache\ndef g(x):\n    return x",
    ),
    _(
        "recursion limit",
        "old = sys.getrecursionlimit()\nsys.setrecursionlimit(old + 1)\nreturn old",
        "import sys",
    ),
    _(
        "recursion limit by a friend",
        "s = dataclasses.sys\nold = s.getrecursionlimit()\ns.setrecursionlimit(old + 1)\nreturn old",
        "import dataclasses",
    ),
    _(
        "trace function",
        "old = sys.gettrace() is None\nsys.settrace(lambda *a: None)\nreturn old",
        "import sys",
    ),
    _(
        "profile function",
        "old = sys.getprofile() is None\nsys.setprofile(lambda *a: None)\nreturn old",
        "import sys",
    ),
    _("planted module", "n = len(sys.modules)\nsys.modules[x] = sys\nreturn n", "import sys"),
    _("import hook", "n = len(sys.meta_path)\nsys.meta_path.append(x)\nreturn n", "import sys"),
    _("garbage hook", "n = len(gc.callbacks)\ngc.callbacks.append(print)\nreturn n", "import gc"),
    _("collector off", "on = gc.isenabled()\ngc.disable()\nreturn on", "import gc"),
    _(
        "exit handler",
        "n = atexit._ncallbacks()\natexit.register(print)\nreturn n",
        "import atexit",
    ),
    _(
        "signal handler",
        "old = str(signal.signal(signal.SIGTERM, signal.SIG_IGN))\nreturn old",
        "import signal",
    ),
    _(
        "thread",
        "import threading\nt = threading.Thread(target=print)\nt.start()\nreturn threading.active_count()",
    ),
    _("environment", "n = len(os.environ)\nos.environ[x] = x\nreturn n", "import os"),
    _(
        "first weekday",
        "old = calendar.firstweekday()\ncalendar.setfirstweekday(6)\nreturn old",
        "import calendar",
    ),
    _(
        "csv dialect",
        "n = len(csv.list_dialects())\ncsv.register_dialect(x, delimiter=';')\nreturn n",
        "import csv",
    ),
    _("csv field size", "return csv.field_size_limit(len(x) + 5)", "import csv"),
    _(
        "decimal default",
        "old = decimal.DefaultContext.prec\ndecimal.DefaultContext.prec = old + 1\nreturn old",
        "import decimal",
    ),
    _(
        "abstract class",
        "old = issubclass(int, Sized)\nSized.register(int)\nreturn old",
        "from collections.abc import Sized",
    ),
    _(
        "frame of the worker",
        "fr = sys._getframe(1)\nd = fr.f_globals\nd['n'] = d.get('n', 0) + 1\nreturn d['n']",
        "import sys",
    ),
    _(
        "frame by a traceback",
        "try:\n    1 / 0\nexcept ArithmeticError as e:\n    g = e.__traceback__.tb_frame.f_back.f_globals\n"
        "g['n'] = g.get('n', 0) + 1\nreturn g['n']",
    ),
    _(
        "objects of the collector",
        "found = [o for o in gc.get_objects() if type(o) is dict]\nreturn len(found) > 0",
        "import gc",
    ),
    _(
        "subclasses",
        "return len([c for c in object.__subclasses__() if c.__name__ == 'Kept'])",
        "class Kept:\n    pass",
    ),
    _("private method of a class", "n = len(''.__class__.__mro__)\nreturn n"),
    _("open random", "random.seed(1)\nreturn 1", "import random"),
    _("string format", "return '{0.__class__}'.format(x)"),
    _("evaluated text", "return eval('1 + 1')"),
    _("type hints", "return str(typing.get_type_hints(g))", "import typing\ndef g(a: 'int'): pass"),
]
_BREAKS = ("killed", "timeout", "output", "error", "memory")
HOSTILE = [
    _("hangs", "while True: pass", "", "timeout"),
    _("sleeps", "time.sleep(9)\nreturn 1", "import time", "timeout"),
    _("fills memory", "return len(bytearray(1 << 31))", "", "memory"),
    _("grows slowly", "a = []\nwhile True: a.append(bytearray(1 << 20))", "", "memory", "timeout"),
    _("recurses", "def g(n): return g(n + 1)\nreturn g(0)", "", "error"),
    _("returns no JSON", "return {1, 2}", "", "output"),
    _("returns no number", "return float('nan')", "", "output"),
    _("returns much", "return 'x' * (3 << 20)", "", "output"),
    _("returns deep", "a = []\nfor _ in range(3000): a = [a]\nreturn a", "", *_BREAKS),
    _("prints much", "print('x' * (1 << 20))\nreturn 1", "", "ok"),
    _("exits", "raise SystemExit(0)", "", "error"),
    _("exits at once", "import os\nos._exit(0)", "", "killed"),
    _("aborts", "import os\nos.abort()", "", "killed"),
    _("segfaults", "import ctypes\nctypes.string_at(0)", "", "killed", "error"),
    _(
        "raises an odd error",
        "class E(Exception):\n    def __str__(self): raise E\nraise E",
        "",
        "error",
    ),
    _("raises a base error", "raise KeyboardInterrupt", "", "error"),
    _("closes the channel", "import os\nos.close(3)\nreturn 1", "", *_BREAKS),
    _(
        "writes a reply",
        "import os\nos.write(3, b'\\0' * 8 + b'\\0\\0\\0\\x02\\0\\0\\0\\0' + b'\\0' * 8 + b'O1')\nreturn 1",
        "",
        *_BREAKS,
    ),
    _("writes noise", "import os\nos.write(3, b'x' * 4000)\nreturn 1", "", *_BREAKS),
    _("writes a length of 4 GB", "import os\nos.write(3, b'\\xff' * 40)\nreturn 1", "", *_BREAKS),
    _("reads the channel", "import os\nos.read(3, 10)\nreturn 1", "", *_BREAKS),
    _(
        "forbidden call",
        "import ctypes\nctypes.CDLL(None).syscall(101, 0, 0, 0, 0)\nreturn 1",
        "",
        "killed",
        "error",
    ),
    _("lazy module", "import sqlite3\nreturn 1", "", "error"),
    _("no such function", "return nothing()", "", "error"),
    _("bomb of a generator", "return sum(1 for _ in iter(int, 1))", "", "timeout"),
    _("large power", "return len(str(9 ** 9 ** 8))", "", "timeout", "error", "memory"),
    _(
        "regular expression",
        "import re\nre.match('(a+)+$', 'a' * 40 + 'b')\nreturn 1",
        "",
        "timeout",
    ),
    _(
        "endless text",
        "class T(str):\n    def __str__(self):\n        while True: pass\nraise ValueError(T())",
        "",
        "timeout",
        "error",
    ),
    _(
        "finalizer",
        "class D:\n    def __del__(self):\n        while True: pass\nx = D()\nreturn 1",
        "",
        "timeout",
        "ok",
    ),
    _("unknown syntax", "return x x", "", "error"),
]
