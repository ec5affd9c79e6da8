"""``toolwright eval``: every measure, each in a file of its own."""

from toolwright.cli.lazy import LazyGroup

command = LazyGroup(
    {
        "bigbench": "LATM's tables over BIG-Bench-style files.",
        "gsm8k": "Program-aided mathematics: answers checked.",
        "judge": "A model judges trajectories: pass rate, or win rate of two files.",
        "toolalpaca": "ToolAlpaca's simulated APIs: executed, and judged.",
        "toolbench": "The static step metrics of alpha-UMi, compat and strict, with floors.",
        "toolworld": "Live runs on ToolWorld: pass and win rates, executed.",
    },
    "eval_",
    name="eval",
    help="Measure tools, tiers, roles and agents.",
)
