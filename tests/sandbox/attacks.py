"""Programs that try to break out, by threat group. Each defines f(); a true result is a success of it.

``want`` names the only right outcomes; None: anything but a true result.
"""

from typing import NamedTuple


class Attack(NamedTuple):
    group: str
    name: str
    body: str
    want: frozenset[str] | None = None

    @property
    def source(self) -> str:
        lines = self.body.strip("\n").splitlines()
        return "def f():\n" + "\n".join(f"    {line}" for line in lines) + "\n"


def _(group: str, name: str, body: str, *want: str) -> Attack:
    return Attack(group, name, body, frozenset(want) or None)


CALL = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
r = libc.syscall({arguments})
return r >= 0
"""
FILES = [
    _("files", "read passwd", "return bool(open('/etc/passwd').read())", "error"),
    _("files", "read canary", "return bool(open(CANARY).read())", "error"),
    _("files", "list root", "import os\nreturn bool(os.listdir('/'))", "error"),
    _("files", "scan home", "import os\nreturn bool(list(os.scandir('/root')))", "error"),
    _("files", "stat", "import os\nreturn os.stat('/etc/passwd').st_size > 0", "error"),
    _("files", "access", "import os\nreturn os.access('/etc/passwd', os.F_OK)"),
    _("files", "walk", "import os\nreturn any(True for d in os.walk('/') if d[1] or d[2])"),
    _(
        "files",
        "file url",
        "import urllib.request\nreturn bool(urllib.request.urlopen('file:///etc/passwd').read())",
    ),
    _(
        "files",
        "sqlite",
        "import sqlite3\nsqlite3.connect('/tmp/x.db').execute('create table t(a)')\nreturn True",
    ),
    _(
        "files",
        "planted module",
        "import sys\nsys.path.insert(0, '/tmp')\nimport planted\nreturn True",
        "error",
    ),
    _(
        "files",
        "openat by hand",
        "import ctypes\nlibc = ctypes.CDLL(None)\nreturn libc.open(b'/etc/passwd', 0) >= 0",
    ),
    _("files", "link target", "import os\nreturn bool(os.readlink('/proc/self/exe'))", "error"),
    _(
        "files",
        "statx by hand",
        CALL.format(
            arguments="332, -100, b'/etc/passwd', 0, 0xfff, ctypes.create_string_buffer(512)"
        ),
    ),
]
WRITES = [
    _("writes", "create", "open('/tmp/evil', 'w').write('x')\nreturn True", "error"),
    _("writes", "append canary", "open(CANARY, 'a').write('x')\nreturn True", "error"),
    _("writes", "unlink canary", "import os\nos.unlink(CANARY)\nreturn True", "error"),
    _(
        "writes",
        "rename canary",
        "import os\nos.rename(CANARY, CANARY + '2')\nreturn True",
        "error",
    ),
    _("writes", "chmod canary", "import os\nos.chmod(CANARY, 0o777)\nreturn True", "error"),
    _("writes", "utime canary", "import os\nos.utime(CANARY, (0, 0))\nreturn True", "error"),
    _("writes", "symlink", "import os\nos.symlink('/etc/passwd', '/tmp/l')\nreturn True", "error"),
    _("writes", "hard link", "import os\nos.link(CANARY, '/tmp/l')\nreturn True", "error"),
    _("writes", "mkdir", "import os\nos.mkdir('/tmp/evil')\nreturn True", "error"),
    _("writes", "mknod", "import os\nos.mknod('/tmp/n', 0o20666)\nreturn True", "error"),
    _("writes", "truncate", "import os\nos.truncate(CANARY, 0)\nreturn True", "error"),
    _(
        "writes",
        "temporary file",
        "import tempfile\ntempfile.TemporaryFile().write(b'x')\nreturn True",
        "error",
    ),
    _("writes", "xattr", "import os\nos.setxattr(CANARY, 'user.x', b'1')\nreturn True", "error"),
    _("writes", "memfd", "import os\nreturn os.memfd_create('x') >= 0", "error"),
]
SECRETS = [
    _(
        "secrets",
        "environment",
        "import os\nreturn [v for v in os.environ.values() if 'SECRET' in v]",
    ),
    _("secrets", "proc environ", "return bool(open('/proc/self/environ').read())", "error"),
    _("secrets", "proc maps", "return bool(open('/proc/self/maps').read())", "error"),
    _(
        "secrets",
        "parent environ",
        "import os\nreturn bool(open(f'/proc/{os.getppid()}/environ').read())",
        "error",
    ),
    _(
        "secrets",
        "earlier argument",
        "import gc\nreturn any('ARGUMENT-OF-ANOTHER' in o for o in gc.get_objects() if isinstance(o, dict))",
    ),
    _(
        "secrets",
        "frames",
        "import sys\nframe = sys._getframe()\nwhile frame:\n    if 'expected' in frame.f_locals: return True\n    frame = frame.f_back\nreturn False",
    ),
    _(
        "secrets",
        "open descriptors",
        "import os\nfound = []\nfor fd in range(4, 64):\n    try: os.fstat(fd); found.append(fd)\n    except OSError: pass\nreturn found",
    ),
    _("secrets", "arguments", "import sys\nreturn any('/' in a for a in sys.argv)"),
]
NETWORK = [
    _(
        "network",
        "tcp",
        "import socket\nsocket.create_connection(('127.0.0.1', PORT), 1)\nreturn True",
        "error",
    ),
    _(
        "network",
        "udp",
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nreturn True",
        "error",
    ),
    _("network", "unix", "import socket\nsocket.socket(socket.AF_UNIX)\nreturn True", "error"),
    _("network", "netlink", "import socket\nsocket.socket(16, 3, 0)\nreturn True", "error"),
    _(
        "network",
        "raw",
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, 1)\nreturn True",
        "error",
    ),
    _("network", "vsock", "import socket\nsocket.socket(40, 1)\nreturn True", "error"),
    _(
        "network",
        "listen",
        "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\ns.listen()\nreturn True",
        "error",
    ),
    _(
        "network",
        "pair",
        "import socket\nsocket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\nreturn True",
        "error",
    ),
    _("network", "dns", "import socket\nreturn bool(socket.getaddrinfo('localhost', 80))"),
    _(
        "network",
        "sendto the channel",
        "import ctypes\nlibc = ctypes.CDLL(None)\nreturn libc.sendto(3, b'x', 1, 0, b'\\x01\\x00/tmp/s', 9) >= 0",
    ),
]
PROCESSES = [
    _("processes", "fork", "import os\nreturn os.fork() >= 0", "error"),
    _(
        "processes",
        "fork bomb",
        "import os\nfor _ in range(1000):\n    os.fork()\nreturn True",
        "error",
    ),
    _(
        "processes",
        "thread",
        "import threading\nthreading.Thread(target=print).start()\nreturn True",
        "error",
    ),
    _(
        "processes",
        "subprocess",
        "import subprocess\nreturn bool(subprocess.check_output(['id']))",
        "error",
    ),
    _("processes", "system", "import os\nreturn os.system('true') == 0"),
    _("processes", "exec", "import os\nos.execv('/bin/true', ['true'])", "error"),
    _("processes", "clone3", CALL.format(arguments="435, ctypes.create_string_buffer(88), 88")),
    _("processes", "vfork", CALL.format(arguments="58")),
    _("processes", "pipe", "import os\nreturn bool(os.pipe())", "error"),
    _("processes", "kill parent", "import os\nos.kill(os.getppid(), 9)\nreturn True", "error"),
    _("processes", "signal everybody", "import os\nos.kill(-1, 0)\nreturn True", "error"),
    _(
        "processes",
        "stop siblings",
        "import os\nfor p in range(2, 40):\n    os.kill(p, 19)\nreturn True",
        "error",
    ),
    _("processes", "ptrace", CALL.format(arguments="101, 16, 1, 0, 0"), "killed"),
    _("processes", "read a process", CALL.format(arguments="310, 1, 0, 0, 0, 0, 0"), "killed"),
    _(
        "processes",
        "parent's limits",
        "import resource, os\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (3, 3))\nreturn True",
        "error",
    ),
    _(
        "processes",
        "own limits",
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (-1, -1))\nreturn True",
        "error",
    ),
    _(
        "processes",
        "priority",
        "import os\nos.setpriority(os.PRIO_PROCESS, 0, 5)\nreturn True",
        "error",
    ),
    _(
        "processes",
        "signal owner",
        "import fcntl\nfcntl.fcntl(3, fcntl.F_SETOWN, 1)\nreturn True",
        "error",
    ),
    _("processes", "pidfd", CALL.format(arguments="434, 1, 0")),
]
ENDLESS = [
    _("endless", "loop", "while True: pass", "timeout"),
    _("endless", "big power", "return len(str(10 ** (10 ** 8)))", "timeout", "error"),
    _("endless", "regex", "import re\nreturn bool(re.match('(a+)+$', 'a' * 40 + 'b'))", "timeout"),
    _(
        "endless",
        "C iterator",
        "import itertools, collections\ncollections.deque(itertools.count(), maxlen=0)",
        "timeout",
    ),
    _(
        "endless",
        "ignored signals",
        "import signal\nfor s in (2, 14, 15, 24):\n    signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
        "timeout",
    ),
    _("endless", "sleep", "import time\ntime.sleep(100)", "timeout"),
    _(
        "endless",
        "deadlock",
        "import _thread\nlock = _thread.allocate_lock()\nlock.acquire()\nlock.acquire()",
        "timeout",
    ),
    _(
        "endless",
        "swallows",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "timeout",
    ),
    _("endless", "stdin", "return bool(input())", "error"),
    _(
        "endless",
        "text of the fault",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
        "timeout",
    ),
    _(
        "endless",
        "after the result",
        "import atexit\ndef stay():\n    while True: pass\natexit.register(stay)\nreturn 0",
        "ok",
    ),
    _(
        "endless",
        "finalizer",
        "class D:\n    def __del__(self):\n        while True: pass\nglobal kept\nkept = D()\nreturn 0",
        "ok",
    ),
    _(
        "endless",
        "trace",
        "import sys\nsys.settrace(lambda *a: a and None)\nwhile True: pass",
        "timeout",
    ),
]
STOPPED = ("memory", "timeout", "killed", "error")
MEMORY = [
    _("memory", "bytes", "return len(bytearray(1 << 31))", *STOPPED),
    _("memory", "string", "return len('x' * (1 << 33))", *STOPPED),
    _("memory", "list", "a = [0]\nwhile True: a = a + a", *STOPPED),
    _("memory", "dict", "return len({i: str(i) for i in range(10 ** 8)})", *STOPPED),
    _("memory", "format", "return len('{:>4000000000}'.format(1))", *STOPPED),
    _("memory", "mmap", "import mmap\nreturn len(mmap.mmap(-1, 1 << 32))", *STOPPED),
    _("memory", "recursion", "def g(): return g() + 1\nreturn g()", *STOPPED),
    _(
        "memory",
        "deep recursion",
        "import sys\nsys.setrecursionlimit(10 ** 9)\ndef g(n): return g(n + 1)\nreturn g(0)",
        *STOPPED,
    ),
    _("memory", "compiler", "return compile('(' * 10000 + ')' * 10000, 'x', 'eval')", *STOPPED),
    _(
        "memory",
        "zip bomb",
        "import zlib\nd = zlib.compressobj()\ndata = d.compress(bytes(1 << 24)) + d.flush()\nreturn len([zlib.decompress(data) for _ in range(100)]) == 100",
        *STOPPED,
    ),
    _("memory", "descriptors", "import os\nn = 0\nwhile True:\n    n = os.dup(3)", *STOPPED),
]
RESULTS = [
    _("results", "nan", "return float('nan')", "output"),
    _("results", "infinity", "return [float('inf')]", "output"),
    _("results", "bytes", "return b'x'", "output"),
    _("results", "set", "return {1}", "output"),
    _("results", "object", "return object()", "output"),
    _("results", "generator", "return (i for i in 'ab')", "output"),
    _("results", "function", "return lambda: 1", "output"),
    _("results", "surrogate", "return '\\ud800'", "output"),
    _("results", "huge", "return 'x' * (2 << 20)", "output"),
    _("results", "cycle", "a = []\na.append(a)\nreturn a", "output", "error"),
    _(
        "results",
        "deep",
        "a = []\nfor _ in range(100000): a = [a]\nreturn a",
        "output",
        "error",
        "killed",
    ),
    _("results", "colliding keys", "return {1: 'a', '1': 'b'}", "output"),
    _("results", "big integer", "return 10 ** 5000", "output", "error"),
    _(
        "results",
        "pickle",
        "import base64\nclass P:\n    def __reduce__(self): return (print, ('x',))\nreturn P()",
        "output",
    ),
    _("results", "print flood", "for _ in range(3000): print('x' * 100)\nreturn 0", "ok"),
    _(
        "results",
        "forged frame",
        "import os, struct\nos.write(3, struct.pack('!II', 2, 0) + b'O[')\nreturn 0",
        "output",
    ),
    _(
        "results",
        "long announcement",
        "import os, struct\nos.write(3, struct.pack('!II', 0xffffffff, 0))\nreturn 0",
        "output",
    ),
    _("results", "closed channel", "import os\nos.close(3)\nreturn 0", "killed"),
    _(
        "results",
        "half a frame",
        "import os, struct\nos.write(3, struct.pack('!II', 100, 0) + b'O')\nos._exit(0)",
        "killed",
    ),
    _(
        "results",
        "too many results",
        "import os, struct\nos.write(3, struct.pack('!II', 8, 0) + b'O[1,2,3]')\nos._exit(0)",
        "output",
    ),
]
ENDINGS = [
    _("endings", "sys.exit", "import sys\nsys.exit(0)", "error"),
    _("endings", "os._exit", "import os\nos._exit(0)", "killed"),
    _("endings", "abort", "import os\nos.abort()", "killed"),
    _("endings", "interrupt", "raise KeyboardInterrupt", "error"),
    _("endings", "segfault", "import ctypes\nctypes.string_at(0)", "killed"),
    _(
        "endings",
        "forged bytecode",
        "f = lambda: 1\nc = f.__code__.replace(co_code=b'\\x64\\xff' * 50, co_consts=())\nf.__code__ = c\nreturn f() == 2",
        "killed",
        "error",
        "ok",
        "output",
        "timeout",
    ),
    _("endings", "huge exception", "raise ValueError('x' * 10 ** 7)", "error"),
    _("endings", "cyclic exception", "e = ValueError()\ne.__cause__ = e\nraise e", "error"),
]
KERNEL = [
    _("kernel", "user namespace", CALL.format(arguments="272, 0x10000000"), "killed"),
    _("kernel", "mount", CALL.format(arguments="165, b'x', b'/', b'tmpfs', 0, 0"), "killed"),
    _("kernel", "chroot", CALL.format(arguments="161, b'/'"), "killed"),
    _("kernel", "keyring", CALL.format(arguments="248, b'user', b'k', b'v', 1, -3"), "killed"),
    _(
        "kernel",
        "io_uring",
        CALL.format(arguments="425, 1, ctypes.create_string_buffer(120)"),
        "killed",
    ),
    _("kernel", "bpf", CALL.format(arguments="321, 0, 0, 0"), "killed"),
    _("kernel", "perf", CALL.format(arguments="298, 0, 0, -1, -1, 0"), "killed"),
    _("kernel", "userfaultfd", CALL.format(arguments="323, 0"), "killed"),
    _("kernel", "open by handle", CALL.format(arguments="304, -100, 0, 0"), "killed"),
    _("kernel", "setuid", "import os\nos.setuid(0)\nreturn True", "error"),
    _("kernel", "clock", "import time\ntime.clock_settime(0, 0)\nreturn True", "error"),
    _(
        "kernel",
        "executable memory",
        "import mmap\nmmap.mmap(-1, 4096, prot=7)\nreturn True",
        "error",
    ),
    _("kernel", "mprotect exec", CALL.format(arguments="10, 0x10000, 4096, 7")),
    _("kernel", "new seccomp", CALL.format(arguments="317, 1, 0, 0")),
    _("kernel", "undumpable", CALL.format(arguments="157, 4, 1, 0, 0, 0")),
    _("kernel", "shared memory", CALL.format(arguments="29, 1, 4096, 0o1666")),
    _("kernel", "x32 call", CALL.format(arguments="0x40000000 + 39"), "killed"),
]
ESCAPES = [
    _(
        "escapes",
        "subclasses",
        "for c in object.__subclasses__():\n    if c.__name__ == 'Popen':\n        return bool(c(['id']))\nreturn False",
    ),
    _("escapes", "format", "import os\nreturn 'SECRET' in '{0.__globals__}'.format(f)"),
    _(
        "escapes",
        "harness frames",
        "import sys\nframe = sys._getframe(1)\nreturn any('SECRET' in str(v)[:99] for v in frame.f_globals.values())",
    ),
    _(
        "escapes",
        "traceback",
        "try: 1 / 0\nexcept ZeroDivisionError as e:\n    f = e.__traceback__.tb_frame\n    while f.f_back: f = f.f_back\n    return 'SECRET' in str(f.f_globals)",
    ),
    _(
        "escapes",
        "patched json",
        "import json\njson.dumps = lambda *a, **k: '[\"FORGED\"]'\nreturn 0",
        "error",
    ),
    _(
        "escapes",
        "patched len",
        "import builtins\nvars(builtins)['len'] = lambda x: 0\nreturn 0",
        "ok",
        "killed",
        "output",
        "error",
    ),
    _("escapes", "import of the harness", "import toolmint\nreturn hasattr(toolmint, 'store')"),
]
ATTACKS = (
    FILES
    + WRITES
    + SECRETS
    + NETWORK
    + PROCESSES
    + ENDLESS
    + MEMORY
    + RESULTS
    + ENDINGS
    + KERNEL
    + ESCAPES
)
