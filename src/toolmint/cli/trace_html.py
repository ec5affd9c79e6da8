"""A trajectory as one self-contained HTML file: the foldable tree with every prompt."""

from html import escape

from toolmint.core.messages import AssistantMessage, Message
from toolmint.core.task import Step, Trajectory, Turn

_STYLE = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
details, .step { margin: .4rem 0 .4rem 1rem; border-left: 2px solid #8886; padding-left: .8rem }
.pruned > .step { opacity: .55 } summary { cursor: pointer; color: #777 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .2rem 0 }
.call { color: #0a7ea4 } .bad { color: #c0392b } .note { color: #a03c99 }
.answer { color: #1e8449; font-weight: 600 }
.meta { color: #777; font-size: .9em } h1 { font-size: 1.2rem }
"""


def _pre(text: str, kind: str = "") -> str:
    return f'<pre class="{kind}">{escape(text)}</pre>'


def _message(message: Message) -> str:
    calls = ""
    if isinstance(message, AssistantMessage):
        calls = "".join(
            _pre(f"{call.name} {call.arguments}", "call") for call in message.tool_calls
        )
    return f'<div class="meta">{escape(message.role)}</div>{_pre(message.content)}{calls}'


def _turn(turn: Turn) -> str:
    prompt = (
        "".join(_message(message) for message in turn.prompt)
        or "<p class=meta>The prompt was not stored.</p>"
    )
    usage = turn.usage
    head = f"{turn.role}: {usage.input_tokens} tokens in, {usage.output_tokens} out"
    thought = ""
    if turn.reasoning:
        thought = f"<details><summary>reasoning</summary>{_pre(turn.reasoning)}</details>"
    said = f"{thought}{_message(turn.answer)}"
    return f"<details><summary>{escape(head)}</summary>{prompt}<hr>{said}</details>"


def _step(step: Step) -> str:
    parts = [
        f'<div class="meta">step {step.id} · {escape(str(step.decision))}</div>',
        _pre(step.thought),
    ]
    parts += [f"<details><summary>hint</summary>{_pre(hint)}</details>" for hint in step.hints]
    parts += [_pre(f"{call.name} {call.arguments}", "call") for call in step.calls]
    parts += [_pre(result.content, "bad" if result.failure else "") for result in step.results]
    if step.answer is not None:
        parts.append(_pre(step.answer, "answer"))
    parts += [_pre(note, "note") for note in step.notes]
    parts += [_turn(turn) for turn in step.turns]
    return f'<div class="step">{"".join(parts)}</div>'


def html_of(trajectory: Trajectory) -> str:
    """Return the HTML. Abandoned branches are folded; every text is escaped, as models wrote it."""
    children: dict[int | None, list[Step]] = {}
    for step in trajectory.steps:
        children.setdefault(step.parent, []).append(step)
    on_path = {step.id for step in trajectory.path()}
    body: list[str] = []
    stack: list[Step | str] = list(reversed(children.get(None, [])))
    while stack:
        step = stack.pop()
        if isinstance(step, str):
            body.append(step)
            continue
        shown = " open" if step.id in on_path else ""
        kind = "pruned" if step.pruned else ""
        if len(children.get(step.parent, [])) > 1:
            body.append(f'<details class="{kind}"{shown}><summary>branch {step.id}</summary>')
            stack.append("</details>")
        body.append(_step(step))
        stack += reversed(children.get(step.id, []))
    usage, run = trajectory.usage, trajectory.run
    spent = f"{usage.requests} model calls, {usage.tokens} tokens"
    took = f"{trajectory.outcome}; {len(trajectory.steps)} steps, {spent}"
    title = escape(trajectory.task.input)
    ending = _pre(trajectory.answer or run.stopped, "answer" if trajectory.answer else "bad")
    ending += "".join(_pre(f"marked {flag.kind}: {flag.why}", "note") for flag in trajectory.flags)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f'<h1>{title}</h1><p class="meta">{escape(took)} · {escape(run.search)} by {escape(run.policy)}</p>'
        f"{ending}{''.join(body)}</html>\n"
    )
