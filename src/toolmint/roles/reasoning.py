r"""Tell what a model thought from what it said: reasoning is kept, but never shown as speech nor read.

Endpoints give reasoning in a field of its own, or leave it in the text: ``<think>...</think>`` (Qwen,
DeepSeek, and many more), ``[THINK]...[/THINK]`` (Mistral), channels (gpt-oss). Templates that write the
opening mark into the prompt leave a closing mark alone.
"""

import re
from typing import NamedTuple

_NAMES = "think|thinking|thought|reasoning|seed:think"
_OPEN = re.compile(rf"(?:\A|(?<=\n))[ \t]*(?:<({_NAMES})>|(\[)THINK\])", re.IGNORECASE)
_ORPHAN = re.compile(rf"(?:</(?:{_NAMES})>|\[/THINK\])(?=\s|\Z)", re.IGNORECASE)
_CHANNEL = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>(\w+)((?:(?!<\|channel).)*?)<\|message\|>(.*?)"
    r"(?=<\|end\|>|<\|return\|>|<\|call\|>|<\|start\|>|<\|channel\|>|\Z)(?:<\|(?:end|return)\|>)?",
    re.DOTALL,
)


class Speech(NamedTuple):
    """A reply in two: what was said, and what was thought before."""

    said: str
    reasoning: str = ""


def split_reasoning(text: str) -> Speech:
    """Return a reply's speech and its reasoning; total: a block without an end is reasoning to the end."""
    if "<|channel|>" in text:
        return _channels(text)
    if "<" not in text and "[" not in text:
        return Speech(text)
    thoughts: list[str] = []
    text = _without_orphan(text, thoughts)
    while (found := _OPEN.search(text)) is not None:
        close = f"</{found[1]}>" if found[1] else "[/THINK]"
        end = re.compile(re.escape(close), re.IGNORECASE).search(text, found.end())
        thoughts.append(text[found.end() : end.start() if end else len(text)])
        text = text[: found.start()] + (text[end.end() :].lstrip() if end else "")
    if thoughts:
        text = _without_orphan(text, thoughts)
    reasoning = "\n".join(one.strip() for one in thoughts if one.strip())
    return Speech(text.strip() if thoughts else text, reasoning)


def _without_orphan(text: str, thoughts: list[str]) -> str:
    """Return the text after a closing mark whose opening mark stood in the prompt."""
    close = _ORPHAN.search(text)
    opened = _OPEN.search(text)
    if close is None or (opened is not None and opened.start() < close.start()):
        return text
    thoughts.append(text[: close.start()])
    return text[close.end() :]


def _channels(text: str) -> Speech:
    said: list[str] = []
    thoughts: list[str] = []
    before = text[: text.find("<|channel|>")].removesuffix("<|start|>assistant")
    if before.strip():
        said.append(before.strip())
    for kind, to, words in _CHANNEL.findall(text):
        if "to=functions." in to:  # a call: ``dialects`` reads it as it stands
            said.append(f"<|channel|>{kind}{to}<|message|>{words}<|call|>")
        else:
            (thoughts if kind == "analysis" else said).append(words.strip())
    return Speech("\n".join(said), "\n".join(thoughts))
