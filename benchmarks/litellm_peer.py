"""LiteLLM's proxy with its in-memory cache, in an environment of its own: a peer of the gateway's speed."""

import json
import secrets
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gateway_load import Target, free_port, started

FOLDER = Path(__file__).parent / ".litellm"
REQUIREMENTS = ("litellm[proxy]<1.109", "opentelemetry-sdk")
"""Later ones ask for parts that some indexes lack; without the second it looks for it at each request,
which would not be a fair comparison.
"""
HIT, PASS = "LiteLLM, cache hit", "LiteLLM, pass-through"
_START_SECONDS = 180.0
_INSTALL_SECONDS = 900


class NotInstalled(Exception):
    """LiteLLM is not there, with the reason."""


def program_in(folder: Path = FOLDER) -> str:
    """Return LiteLLM's program, installed in a folder where it is not there yet.

    Raises:
        NotInstalled: the package index does not have it, or has no answer.
    """
    program, done = folder / "bin" / "litellm", folder / "installed"
    if done.exists():
        return str(program)
    shutil.rmtree(folder, ignore_errors=True)
    uv = shutil.which("uv")
    make = [uv, "venv", "--quiet"] if uv else [sys.executable, "-m", "venv"]
    pip = [uv, "pip"] if uv else [str(folder / "bin" / "pip")]
    python = ["--python", str(folder / "bin" / "python")] if uv else []
    try:
        for words in ([*make, str(folder)], [*pip, "install", "--quiet", *python, *REQUIREMENTS]):
            subprocess.run(
                words, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
            )
    except (subprocess.SubprocessError, OSError) as fault:
        said = (getattr(fault, "stderr", None) or str(fault)).strip().splitlines()
        raise NotInstalled(said[-1] if said else str(fault)) from fault
    done.touch()
    return str(program)


def litellm_targets(
    stack: ExitStack, program: str, folder: Path, upstream: str, body: dict[str, Any]
) -> list[Target]:
    """Start the proxy; return it answering from its cache, and passing the same request on.

    Args:
        stack: ends it.
        program: see ``program_in``.
        folder: for its configuration.
        upstream: URL of the endpoint behind it.
        body: what it is asked.
    """
    config, port, master = (
        folder / "litellm.yaml",
        free_port(),
        f"sk-{secrets.token_hex(16)}",
    )
    model = {"model": "openai/gpt-5", "api_base": upstream, "api_key": "none"}
    settings = {
        "model_list": [{"model_name": "gpt-5", "litellm_params": model}],
        "litellm_settings": {"cache": True, "cache_params": {"type": "local"}},
    }
    config.write_text(json.dumps(settings))  # JSON is YAML
    proxy = stack.enter_context(
        started(
            [program, "--config", str(config), "--port", str(port)],
            port,
            _START_SECONDS,
            LITELLM_LOG="ERROR",
            LITELLM_MASTER_KEY=master,
            PYTHONPATH="",
        )
    )
    fresh = body | {"cache": {"no-cache": True, "no-store": True}}
    return [
        Target(HIT, port, proxy, master, body, "x-litellm-cache-key: "),
        Target(PASS, port, proxy, master, fresh),
    ]
