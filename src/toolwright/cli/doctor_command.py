"""``toolwright doctor``: what is contained on this machine, found by trying."""

import platform

import click

from toolwright.cli.common import console, say
from toolwright.core.doors import run_sync
from toolwright.core.errors import SandboxError

UNCOVERED = (
    "faults of the kernel in the calls that are allowed (memory, futex, clocks)",
    "side channels of the processor",
    "answers that are wrong: the gate speaks about those, not the sandbox",
)


@click.command("doctor")
def command() -> None:
    """Start the sandbox, try its probes, and say what holds and what does not."""
    from rich.table import Table

    from toolwright.assembly.doctor import Examination, examine

    found: Examination = run_sync(examine())
    table = Table("probe", "held", "seen", title="Sandbox probes")
    for finding in found.findings:
        table.add_row(finding.name, "yes" if finding.held else "NO", finding.seen)
    console().print(table)
    layers = found.layers
    say(f"machine: {platform.system()} {platform.release()} {platform.machine()}")
    say(f"seccomp filter and resource limits: yes (required)\nlayers: {layers}")
    for name in ("empty_root", "landlock", "namespaces"):
        if not layers.get(name):
            say(
                f"not granted by this kernel: {name} (the filter still refuses every file and socket)"
            )
    say("not covered by any layer:" + "".join(f"\n  - {line}" for line in UNCOVERED))
    if not all(finding.held for finding in found.findings):
        raise SandboxError(
            "a probe was not contained: do not serve made tools here", code="sandbox-leak"
        )
