"""Every attack is contained: with namespaces and without, as root and as a normal user."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.sandbox.attacks import ATTACKS
from tests.sandbox.siege import besiege

from toolmint.sandbox.forkserver import ForkServer

GROUPS = sorted({attack.group for attack in ATTACKS})


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary"
    path.write_text("SECRET")
    return path


def test_the_suite_is_large_enough() -> None:
    assert len(ATTACKS) >= 80
    assert len({(attack.group, attack.name) for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.anyio
@pytest.mark.parametrize("group", GROUPS)
async def test_attacks_are_contained(group: str, sandbox: ForkServer, canary: Path) -> None:
    attacks = [attack for attack in ATTACKS if attack.group == group]
    assert await besiege(sandbox, attacks, canary) == []


@pytest.mark.anyio
async def test_attacks_are_contained_by_the_filter_and_limits_alone(canary: Path) -> None:
    async with ForkServer(namespaces=False) as sandbox:
        assert sandbox.layers["namespaces"] == []
        quick = [attack for attack in ATTACKS if attack.group not in {"endless", "memory"}]
        assert await besiege(sandbox, quick, canary) == []


def _readable_python() -> str | None:
    """Return an interpreter that any user may start."""
    for path in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        found = shutil.which(path)
        if found and all(parent.stat().st_mode & 0o005 for parent in Path(found).resolve().parents):
            return found
    return None


@pytest.mark.anyio
@pytest.mark.parametrize("group", GROUPS)
async def test_attacks_of_tools_that_keep_their_process_are_contained(
    group: str, sandbox: ForkServer, canary: Path
) -> None:
    attacks = [attack for attack in ATTACKS if attack.group == group]
    assert await besiege(sandbox, attacks, canary, resident=True) == []


@pytest.mark.skipif(os.getuid() != 0, reason="already a normal user")
@pytest.mark.parametrize("mode", [[], ["--resident"]], ids=["call", "resident"])
def test_attacks_are_contained_for_a_normal_user(mode: list[str]) -> None:
    python = _readable_python()
    if python is None:
        pytest.skip("no interpreter here that a normal user may start")
    folder = Path("/tmp") / f"toolmint-siege-{os.getpid()}"
    folder.mkdir(mode=0o755)
    try:
        canary = folder / "canary"
        canary.write_text("SECRET")
        words = ["-m", "tests.sandbox.siege", str(canary), "--user", "65534", "--python", python]
        done = subprocess.run(
            [sys.executable, *words, *mode],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found = json.loads(done.stdout)
        assert (found["user"], found["faults"]) == (65534, [])
        assert found["attacks"] >= len(ATTACKS)
    finally:
        shutil.rmtree(folder)
