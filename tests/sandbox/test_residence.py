"""Which programs may share a process: ordinary tools may, those that reach into the interpreter may not."""

import pytest

from toolmint.core.guest_modules import GUEST_MODULES
from toolmint.sandbox.guest.residence import reason_against

ALLOWED = frozenset(GUEST_MODULES)


@pytest.mark.parametrize(
    "source",
    [
        "import re\nWORDS = re.compile('[a-z]+')\ndef f(x):\n    return WORDS.findall(x)\n",
        "import re\ndef f(x):\n    return re.compile(x).pattern\n",
        "def f(input):\n    return input\n",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef f(x):\n    return P(x).x\n",
    ],
)
def test_ordinary_code_may_be_resident(source: str) -> None:
    assert not reason_against(source, ALLOWED)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("def f(x):\n    return compile(x, '', 'eval')\n", "it uses compile"),
        ("import ast as re\ndef f(x):\n    return re.exec(x)\n", "it uses .exec (line 3)"),
        ("import enum\ndef f(x):\n    return enum.compile(x)\n", "it uses .compile (line 3)"),
        (
            "from re import compile\ndef f(x):\n    return x\n",
            "it imports compile from re (line 1)",
        ),
        ("import re\ndef f(x):\n    re.compile = x\n", "it changes re (line 3)"),
    ],
)
def test_a_way_into_the_interpreter_is_named(source: str, why: str) -> None:
    assert reason_against(source, ALLOWED) == why
