"""The distribution of generated tasks: number of calls and rates of faults."""

from pydantic import Field, ValidationError

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen

MAX_CALLS = 6


class Shape(Frozen):
    """Settings of the task generator. Shares are fractions (0 to 1) of all tasks.

    Attributes:
        shortest: fewest calls that a task may need (1 to 6).
        longest: most calls that a task may need (1 to 6).
        impossible: share of tasks that cannot be solved.
        broken: share of tasks with a tool that always fails and an alternative to it.
        flaky: share of tasks with a tool whose first call fails.
        distractor_categories: number of unrelated categories that contribute tools to the toolbox.
    """

    shortest: int = Field(default=1, ge=1, le=MAX_CALLS)
    longest: int = Field(default=MAX_CALLS, ge=1, le=MAX_CALLS)
    impossible: float = Field(default=0.18, ge=0, le=1)
    broken: float = Field(default=0.18, ge=0, le=1)
    flaky: float = Field(default=0.14, ge=0, le=1)
    distractor_categories: int = Field(default=2, ge=0, le=4)

    @classmethod
    def of(cls, **given: object) -> "Shape":
        """Return a shape from keyword arguments; None means the default.

        Raises:
            InputError: a length is not in 1 to 6, a share not in 0 to 1, or the values contradict each other.
        """
        try:
            shape = cls.model_validate(
                {name: value for name, value in given.items() if value is not None}
            )
        except ValidationError as fault:
            first = fault.errors()[0]
            raise InputError(
                f"no world has {first['loc'][0]}={first['input']!r}: {first['msg']}"
            ) from fault
        if shape.shortest > shape.longest:
            raise InputError(
                f"no task needs at least {shape.shortest} and at most {shape.longest} calls"
            )
        if shape.impossible + shape.broken + shape.flaky > 1:
            raise InputError("the shares of impossible, broken and flaky add up to more than 1")
        return shape


DEFAULT_SHAPE = Shape()
