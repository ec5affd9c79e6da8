"""The fork server: preloads modules, confines itself, and forks one worker a call, ahead of time.

Why preloading: the confined process has no file system, so a module must be imported before; and every
worker shares the imported pages (copy on write) instead of paying for the import.

It speaks over one SEQPACKET socket. To the host: ``R`` + JSON (ready, layers in force), ``W`` + id with the
worker's socket attached and whether it may be resident, ``X`` + id, wait status, CPU seconds, memory.
From the host: ``N`` fork one more, ``R`` fork one that may be resident, ``K`` + id kill that one, ``F`` + id
kill that one and fork another. Either side closing ends everything.
"""

import array
import codecs
import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import warnings
from datetime import datetime

from toolmint.core.guest_modules import GUEST_MODULES
from toolmint.sandbox.guest import cage, worker
from toolmint.sandbox.guest.freeze import freeze_classes, freeze_modules
from toolmint.sandbox.guest.leftovers import Leftovers
from toolmint.sandbox.guest.resident import Resident
from toolmint.sandbox.guest.seccomp import Filter

_WORKER_SOCKET = 3
RESIDENT_CPU_SECONDS = 600
_CODECS = (
    "ascii",
    "latin-1",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-32",
    "cp1252",
    "unicode_escape",
    "raw_unicode_escape",
    "idna",
    "punycode",
    "rot13",
    "hex",
    "base64",
)
# A worker runs this while it waits: it copies the memory pages that a real run will write to.
_WARM_UP: dict[str, object] = {
    "source": "import re, json\ndef f(x):\n    return [sorted(x)]\n",
    "stdout_bytes": 0,
    "calls": [
        {
            "function": "f",
            "arguments": [{"value": [2, 1]}],
            "spread": {"value": None},
            "fresh": True,
            "refuses": False,
        },
    ],
}


def preload() -> None:
    """Import every module that a tool may import, and fill the caches that a first use would fill.

    Codecs and ``strptime`` load modules at their first use, which a confined worker cannot.
    """
    sys.modules["_hashlib"] = None  # type: ignore[assignment]  # OpenSSL would double the cost of each fork
    for name in GUEST_MODULES:
        importlib.import_module(name)
    importlib.import_module("_strptime")
    datetime.strptime("12:00 2024-01-31 Mon Jan", "%H:%M %Y-%m-%d %a %b")  # noqa: DTZ007
    for name in _CODECS:
        codecs.lookup(name)
    importlib.import_module("re").sub("a+", "b", "caat")
    json.dumps({"a": [1.5]}, allow_nan=False, indent=1)
    # What records arcs is called as a constant, of which the compiler would warn each time.
    warnings.simplefilter("ignore", SyntaxWarning)


def virtual_size() -> int:
    """Return the address space of this process in bytes; call it before the root is emptied."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


class Zygote:
    """The control socket, the filter and the living workers of one fork server."""

    def __init__(self, control: socket.socket, cpu_seconds: int, memory_bytes: int) -> None:
        self.control = control
        self.cpu_seconds = cpu_seconds
        self.memory_bytes = memory_bytes
        self.null = os.open("/dev/null", os.O_RDWR)
        self.filter = Filter()
        self.poll = select.poll()
        self.workers: dict[int, tuple[int, int]] = {}  # pidfd -> (id, pid)
        self.next_id = 0
        freeze_modules()
        self.frozen_classes = freeze_classes()
        self.leftovers = Leftovers(GUEST_MODULES)

    def confine(self, namespaces: list[str]) -> dict[str, object]:
        """Apply every layer to this process and return what is in force."""
        # A worker inherits this address space. The limit is on the address space (RLIMIT_AS), because
        # Linux ignores RLIMIT_RSS; so what is inherited is added to what a tool may allocate.
        self.address_space = virtual_size() + self.memory_bytes
        root_gone = "mount" in namespaces and cage.empty_root()
        dropped = cage.drop_privileges()
        abi = cage.landlock()
        sys.path.clear()
        sys.path_importer_cache.clear()
        return {
            "namespaces": namespaces,
            "empty_root": root_gone,
            "user_dropped": dropped,
            "landlock": abi,
            "frozen_classes": self.frozen_classes,
            "python": sys.version.split()[0],
        }

    def _become_worker(self, mine: socket.socket, *, resident: bool) -> None:
        for descriptor in (0, 1, 2):
            os.dup2(self.null, descriptor)
        os.dup2(mine.fileno(), _WORKER_SOCKET)
        os.closerange(_WORKER_SOCKET + 1, 65536)
        cage.die_with_parent()
        # The kernel counts a process's whole life, so a resident worker has as much as many calls may use;
        # each of them is held by the host's clock, as no call can use more processor time than wall time.
        cpu = RESIDENT_CPU_SECONDS if resident else self.cpu_seconds
        limits = (
            (resource.RLIMIT_CPU, cpu, cpu + 1),
            (resource.RLIMIT_AS, self.address_space, self.address_space),
            (resource.RLIMIT_FSIZE, 0, 0),
            (resource.RLIMIT_NOFILE, 8, 8),
            (resource.RLIMIT_NPROC, 0, 0),
            (resource.RLIMIT_CORE, 0, 0),
            (resource.RLIMIT_MEMLOCK, 0, 0),
            (resource.RLIMIT_MSGQUEUE, 0, 0),
            (resource.RLIMIT_STACK, 8 << 20, 8 << 20),
        )
        for which, soft, hard in limits:
            resource.setrlimit(which, (soft, hard))
        self.filter.install()
        worker.run_program(_WARM_UP)
        gc.enable()
        request = worker.receive(_WORKER_SOCKET)
        if resident:
            Resident(_WORKER_SOCKET, request, self.leftovers).serve()
        worker.answer_once(_WORKER_SOCKET, request)

    def fork_one(self, *, resident: bool = False) -> None:
        """Fork a worker and pass its socket to the host."""
        theirs, mine = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                self._become_worker(mine, resident=resident)
            os._exit(5)
        mine.close()
        handle = os.pidfd_open(pid)
        self.workers[handle] = (self.next_id, pid)
        self.poll.register(handle, select.POLLIN)
        rights = array.array("i", [theirs.fileno()])
        message = b"W" + struct.pack("!Q?", self.next_id, resident)
        self.control.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
        theirs.close()
        self.next_id += 1

    def reap(self, handle: int) -> None:
        """Collect a worker that has ended and report it to the host."""
        number, pid = self.workers.pop(handle)
        self.poll.unregister(handle)
        os.close(handle)
        _, status, used = os.wait4(pid, 0)
        cpu = used.ru_utime + used.ru_stime
        self.control.send(b"X" + struct.pack("!QidQ", number, status, cpu, used.ru_maxrss * 1024))

    def kill(self, number: int) -> None:
        """Kill a worker if it is still alive; by its pidfd, as a process id may be reused."""
        for handle, (known, _) in self.workers.items():
            if known == number:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                return

    def serve(self) -> None:
        """Follow the host's messages until its socket closes."""
        control = self.control.fileno()
        self.poll.register(control, select.POLLIN)
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor != control:
                    self.reap(descriptor)
                    continue
                message = self.control.recv(64)
                if not message:
                    return
                if message[:1] in b"KF":
                    self.kill(struct.unpack("!Q", message[1:])[0])
                if message[:1] != b"K":
                    self.fork_one(resident=message[:1] == b"R")


def run_zygote() -> None:
    """Run the fork server.

    ``sys.argv`` holds the control descriptor, a worker's processor seconds and memory bytes, and whether
    to leave the host's namespaces.
    """
    descriptor, cpu_seconds, memory_bytes, namespaced = (int(word) for word in sys.argv[1:5])
    control = socket.socket(fileno=descriptor)
    preload()
    zygote = Zygote(control, cpu_seconds, memory_bytes)
    namespaces = cage.unshare_namespaces() if namespaced else []
    if "pid" in namespaces:
        child = os.fork()
        if child:
            control.close()
            os.waitpid(child, 0)
            os._exit(0)
    layers = zygote.confine(namespaces)
    gc.collect()
    gc.freeze()  # a collection in a worker would write to every shared object, and so copy its page
    control.send(b"R" + json.dumps(layers).encode())
    with contextlib.suppress(ConnectionError):
        zygote.serve()
    os._exit(0)
