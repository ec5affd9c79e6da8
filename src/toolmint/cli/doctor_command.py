"""``toolmint doctor``: tests what the sandbox contains on this machine."""

import platform

import click

from toolmint.cli.common import console, say
from toolmint.core.errors import SandboxError
from toolmint.core.sync import run_sync

_NOT_COVERED = (
    "kernel bugs in the system calls that are allowed (memory, futex, clocks)",
    "side channels of the processor",
    "wrong answers: verification covers those, not the sandbox",
)


@click.command("doctor")
def doctor_command() -> None:
    """Start the sandbox, run its probes, and show which of them were contained."""
    from rich.table import Table

    from toolmint.assembly.doctor import Examination, examine

    found: Examination = run_sync(examine())
    table = Table("probe", "passed", "seen", title="Sandbox probes")
    for finding in found.findings:
        table.add_row(finding.name, "yes" if finding.passed else "NO", finding.seen)
    console().print(table)
    layers = found.layers
    say(f"machine: {platform.system()} {platform.release()} {platform.machine()}")
    say(f"seccomp filter and resource limits: yes (required)\nlayers: {layers}")
    if found.resident_seconds is None:
        say("resident workers: NO, none stayed; each call has a process of its own")
    else:
        say(
            f"resident workers: yes, at most {found.most_residents}; "
            f"{1e6 * found.resident_seconds:.0f} us a call"
        )
    for name in ("empty_root", "landlock", "namespaces"):
        if not layers.get(name):
            say(
                f"not granted by this kernel: {name} (the filter still refuses every file and socket)"
            )
    say("not covered by any layer:" + "".join(f"\n  - {line}" for line in _NOT_COVERED))
    if not all(finding.passed for finding in found.findings):
        raise SandboxError(
            "a probe was not contained: do not serve made tools here", code="sandbox-leak"
        )
