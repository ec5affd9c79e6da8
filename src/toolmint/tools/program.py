"""The tool that runs a Python program in the sandbox (program-aided reasoning; alpha-UMi appendix D)."""

from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.sandbox import RunLimits, Sandbox, SandboxRun
from toolmint.core.toolbox import failed_result

_SPEC = ToolSpec(
    name="python",
    description="Run a Python program without network and files; returns what it prints.",
    parameters={
        "type": "object",
        "properties": {"code": {"type": "string", "description": "The whole program."}},
        "required": ["code"],
        "additionalProperties": False,
    },
    read_only=True,
)


class ProgramTool:
    """Runs each program in a sandbox worker of its own; no state is kept between programs."""

    spec = _SPEC

    def __init__(self, sandbox: Sandbox, *, seconds: float = 5.0) -> None:
        self._sandbox, self._limits = sandbox, RunLimits(seconds=seconds)

    async def call(self, call: ToolCall) -> ToolResult:
        """Run the program; what it prints, or its error, is the observation."""
        code = str(call.parsed()["code"])
        result = await self._sandbox.run(SandboxRun(source=code, limits=self._limits))
        printed = result.stdout.strip()
        if result.status != "ok":
            said = f"{printed}\n" if printed else ""
            text = f"{said}{result.error}: {result.message}".strip()
            return failed_result(call, f"program-{result.status}", text, result.seconds)
        text = printed or "(the program printed nothing)"
        return ToolResult(call_id=call.id, content=text, data=printed, seconds=result.seconds)
