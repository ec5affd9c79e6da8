"""``toolmint eval``: a command for each benchmark, and for their data and rows."""

from toolmint.cli.lazy import LazyGroup

eval_command = LazyGroup(
    {
        "bigbench": "LATM's tables over BIG-Bench-style files.",
        "calls": "Held-out single calls: right tool, exact call, invalid calls.",
        "gsm8k": "Program-aided mathematics: answers checked.",
        "judge": "A model judges trajectories: pass rate, or win rate of two files.",
        "toolalpaca": "ToolAlpaca's simulated APIs: executed, and judged.",
        "toolbench": "The static step metrics of alpha-UMi, compat and strict, with floors.",
        "toolworld": "Live runs on ToolWorld: success is executed.",
        "stream": "A labelled stream through the gateway: coverage, precision and savings over time.",
        "compare": "Two runs of one benchmark: paired differences with intervals.",
        "fetch": "Get public benchmark data, by pinned address and digest.",
    },
    "eval_",
    name="eval",
    help="Measure tools, tiers, roles and agents.",
)
