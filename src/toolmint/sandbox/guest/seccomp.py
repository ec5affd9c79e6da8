"""The system-call filter of a worker: an allow-list in classic BPF, for x86-64.

Why an allow-list: a new kernel brings new calls, and a deny-list would let them through. The allowed
calls are those that CPython makes after it has started: memory, clocks, signals, locks, and reading and
writing on descriptors that are already open. No rule lets a worker open, list or stat a file, create a
process, a socket or a pipe, or map memory as executable.

A call that is not listed fails with EPERM, so that honest code gets a Python error that the maker can
read and repair. Calls that only an attack makes kill the process.
"""

import ctypes
import errno
import struct

AUDIT_ARCH_X86_64 = 0xC000003E
X32_BIT = 0x40000000
RET_KILL, RET_ERRNO, RET_ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
LOAD, JUMP_EQ, JUMP_GE, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
PROT_EXEC = 0x4

_ALLOW: dict[str, int] = {
    "read": 0,
    "write": 1,
    "close": 3,
    "fstat": 5,
    "lseek": 8,
    "munmap": 11,
    "brk": 12,
    "rt_sigaction": 13,
    "rt_sigprocmask": 14,
    "rt_sigreturn": 15,
    "sched_yield": 24,
    "mremap": 25,
    "madvise": 28,
    "nanosleep": 35,
    "getpid": 39,
    "exit": 60,
    "uname": 63,
    "getcwd": 79,
    "gettimeofday": 96,
    "getrlimit": 97,
    "getrusage": 98,
    "sysinfo": 99,
    "times": 100,
    "getuid": 102,
    "getgid": 104,
    "geteuid": 107,
    "getegid": 108,
    "getppid": 110,
    "sigaltstack": 131,
    "gettid": 186,
    "time": 201,
    "futex": 202,
    "sched_getaffinity": 204,
    "restart_syscall": 219,
    "clock_gettime": 228,
    "clock_getres": 229,
    "clock_nanosleep": 230,
    "exit_group": 231,
    "set_robust_list": 273,
    "getcpu": 309,
    "getrandom": 318,
    "rseq": 334,
}
_KILL: dict[str, int] = {
    "ptrace": 101,
    "personality": 135,
    "modify_ldt": 154,
    "pivot_root": 155,
    "chroot": 161,
    "mount": 165,
    "umount2": 166,
    "swapon": 167,
    "reboot": 169,
    "init_module": 175,
    "delete_module": 176,
    "kexec_load": 246,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "unshare": 272,
    "perf_event_open": 298,
    "open_by_handle_at": 304,
    "setns": 308,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "finit_module": 313,
    "kexec_file_load": 320,
    "bpf": 321,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsmount": 432,
    "pidfd_getfd": 438,
    "mount_setattr": 442,
}
# The C library falls back to older calls only on ENOSYS; EAGAIN is what fork fails with at its limit.
_REFUSE: dict[int, int] = {
    56: errno.EAGAIN,
    57: errno.EAGAIN,
    58: errno.EAGAIN,  # clone, fork, vfork
    435: errno.ENOSYS,
    437: errno.ENOSYS,  # clone3 (glibc then tries clone), openat2
}
MMAP, MPROTECT, PRLIMIT64 = 9, 10, 302


def _op(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, k)


def _argument(index: int, *, high: bool = False) -> bytes:
    return _op(LOAD, 16 + 8 * index + (4 if high else 0))


def _leaves() -> dict[int, list[bytes]]:
    """Return the instructions of each listed call; all of them end in a verdict."""
    allow, kill = _op(RETURN, RET_ALLOW), _op(RETURN, RET_KILL)
    refuse = _op(RETURN, RET_ERRNO | errno.EPERM)
    leaves = {key: [allow] for key in _ALLOW.values()} | {key: [kill] for key in _KILL.values()}
    leaves |= {number: [_op(RETURN, RET_ERRNO | code)] for number, code in _REFUSE.items()}
    for number in (MMAP, MPROTECT):  # never executable: protection is argument 2
        leaves[number] = [_argument(2), _op(JUMP_SET, PROT_EXEC, 0, 1), refuse, allow]
    leaves[
        PRLIMIT64
    ] = [  # only asks (argument 2 is null), and only of the caller (argument 0 is 0)
        _argument(0),
        _op(JUMP_EQ, 0, 0, 5),
        _argument(2),
        _op(JUMP_EQ, 0, 0, 3),
        _argument(2, high=True),
        _op(JUMP_EQ, 0, 0, 1),
        allow,
        refuse,
    ]
    return leaves


def _tree(leaves: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """Return a binary search over sorted call numbers: the kernel runs it at every system call."""
    if len(leaves) == 1:
        number, leaf = leaves[0]
        refuse = _op(RETURN, RET_ERRNO | errno.EPERM)
        return [_op(JUMP_EQ, number, 0, len(leaf)), *leaf, refuse]
    middle = len(leaves) // 2
    low, high = _tree(leaves[:middle]), _tree(leaves[middle:])
    return [_op(JUMP_GE, leaves[middle][0], len(low), 0), *low, *high]


def _build() -> bytes:
    """Return the filter program, 8 bytes an instruction.

    The architecture is checked first: by the x32 or 32-bit ABI a number means another call.
    """
    kill = _op(RETURN, RET_KILL)
    head = [
        _op(LOAD, 4),
        _op(JUMP_EQ, AUDIT_ARCH_X86_64, 1, 0),
        kill,
        _op(LOAD, 0),
        _op(JUMP_GE, X32_BIT, 0, 1),
        kill,
    ]
    return b"".join(head + _tree(sorted(_leaves().items())))


class Filter:
    """A built filter, ready to be applied to the calling process for good."""

    def __init__(self) -> None:
        code = _build()
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._code = ctypes.create_string_buffer(code, len(code))
        self._program = ctypes.create_string_buffer(
            struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(self._code))
        )

    def install(self) -> None:
        """Apply the filter to this process; it can never be removed.

        Raises:
            OSError: the kernel refuses.
        """
        if self._libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self._program, 0, 0) != 0:
            code = ctypes.get_errno()
            raise OSError(code, "the kernel refuses a seccomp filter")
