"""Requests of other classes that a tool answers rightly: one kind of request may stand in several classes."""

from toolmint.core.sameness import same_answer
from toolmint.core.sandbox import Sandbox
from toolmint.core.tool import Demonstration
from toolmint.maker.each import each
from toolmint.maker.program import answer_program, serve_tool, trial_owner
from toolmint.maker.verification_input import VerificationInput


async def with_strangers(inputs: VerificationInput, sandbox: Sandbox) -> VerificationInput:
    """Return the input with those neighbours as foreign requests that the tool does not answer rightly.

    Classes are made of wordings, so a right tool may read requests of another class and give their known
    answers. That is no fault; a wrong answer to one is, and stage 4 finds it among the foreign requests.
    """
    if not inputs.neighbours:
        return inputs
    program, owner = answer_program(inputs.source), trial_owner()

    async def stranger(demo: Demonstration) -> str | None:
        run = await serve_tool(sandbox, program, demo.input, owner)
        rightly = run.answer is not None and same_answer(run.answer, demo.target or "") is not None
        return None if rightly else demo.input

    found = await each(stranger, inputs.neighbours)
    foreign = tuple(text for text in found if text is not None)
    return inputs.model_copy(update={"foreign": (*inputs.foreign, *foreign), "neighbours": ()})
