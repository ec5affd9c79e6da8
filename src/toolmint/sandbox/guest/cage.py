"""Confines the fork server: namespaces, an empty root, no privileges, Landlock.

Each layer is applied where the kernel grants it, and what is not granted is reported: containers
often forbid namespaces or mounts. Only seccomp and the resource limits, which each worker applies to
itself, are required.
"""

import contextlib
import ctypes
import os
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_REC, MS_PRIVATE, MNT_DETACH = 16384, 1 << 18, 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
SYS_PIVOT_ROOT, SYS_CAPSET = 155, 126
SYS_LANDLOCK_CREATE, SYS_LANDLOCK_RESTRICT = 444, 446
SIGKILL = 9
UNUSED_UID = 2_000_000_000


def _check(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def unshare_namespaces() -> list[str]:
    """Leave the host's namespaces and return the names of those left.

    The caller must fork afterwards: a new pid namespace begins with the next child.
    """
    uid, gid = os.getuid(), os.getgid()
    if uid != 0:
        if LIBC.unshare(NEWUSER) != 0:
            return []
        try:
            for name, text in (
                ("setgroups", "deny"),
                ("uid_map", f"{uid} {uid} 1"),
                ("gid_map", f"{gid} {gid} 1"),
            ):
                with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                    file.write(text)
        except OSError:
            return []
    wanted = {
        "mount": NEWNS,
        "pid": NEWPID,
        "net": NEWNET,
        "ipc": NEWIPC,
        "uts": NEWUTS,
        "cgroup": NEWCGROUP,
    }
    return [name for name, flag in wanted.items() if LIBC.unshare(flag) == 0]


def empty_root() -> bool:
    """Replace the root by an empty, read-only file system of 64 kB in memory; return whether it worked.

    Even a bug in the filter or in Landlock then finds no file.
    """
    try:
        _check(LIBC.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
        flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
        _check(LIBC.mount(b"tmpfs", b"/tmp", b"tmpfs", flags, b"size=64k,mode=555"), "mount tmpfs")
        os.chdir("/tmp")
        _check(LIBC.syscall(SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
        _check(LIBC.umount2(b".", MNT_DETACH), "umount")
        os.chdir("/")
        _check(LIBC.mount(b"none", b"/", None, MS_REMOUNT | MS_RDONLY | flags, None), "remount")
    except OSError:
        return False
    return True


def drop_privileges() -> bool:
    """Drop user, groups and capabilities for good; return whether a root user was given up.

    Each fork server takes another user id, so that resource limits counted by user do not mix.
    """
    was_root = os.getuid() == 0
    for capability in range(64):
        LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if was_root:
        with contextlib.suppress(OSError):
            os.setgroups([])
        for uid in (UNUSED_UID + os.getpid() % 1_000_000, 65534):
            with contextlib.suppress(OSError):
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
                break
    header = struct.pack("Ii", 0x20080522, 0)
    LIBC.syscall(SYS_CAPSET, header, struct.pack("6I", 0, 0, 0, 0, 0, 0))
    die_with_parent()
    _check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    LIBC.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    return was_root and os.getuid() != 0


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)


def landlock() -> int:
    """Forbid every file access, bind, connect and foreign signal; return Landlock's ABI version, or 0."""
    abi = LIBC.syscall(SYS_LANDLOCK_CREATE, None, 0, 1)
    if abi < 1:
        return 0
    last_right = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)
    net = 3 if abi >= 4 else 0
    scoped = 3 if abi >= 6 else 0
    rules = struct.pack("QQQ", (1 << last_right) - 1, net, scoped)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = LIBC.syscall(SYS_LANDLOCK_CREATE, rules[:size], size, 0)
    if ruleset < 0:
        return 0
    applied = LIBC.syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return int(abi) if applied else 0
