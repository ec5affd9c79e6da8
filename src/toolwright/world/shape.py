"""How long the tasks of a world are, and how much goes wrong in them."""

from pydantic import Field, ValidationError

from toolwright.core.errors import InputError
from toolwright.core.messages import Frozen

LONGEST = 6


class Shape(Frozen):
    """What tasks are made: how long, and how much goes wrong. Shares are of all tasks.

    Attributes:
        shortest: fewest calls that a task may need.
        longest: most calls, at most six.
        impossible: tasks that cannot be solved.
        broken: tasks with a tool that never works, beside another way.
        flaky: tasks with a tool whose first call fails.
        strangers: kinds of records that the task is not about, whose tools are in the box all the same.
    """

    shortest: int = Field(default=1, ge=1, le=LONGEST)
    longest: int = Field(default=LONGEST, ge=1, le=LONGEST)
    impossible: float = Field(default=0.18, ge=0, le=1)
    broken: float = Field(default=0.18, ge=0, le=1)
    flaky: float = Field(default=0.14, ge=0, le=1)
    strangers: int = Field(default=2, ge=0, le=4)

    @classmethod
    def of(cls, **given: object) -> "Shape":
        """Give a shape.

        Raises:
            InputError: a length is not 1 to 6, a share not 0 to 1, or they do not go together.
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


USUAL = Shape()
