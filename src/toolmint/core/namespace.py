"""Whose classes are meant: a tenant and a scope, and the key of one class in them."""

import re
from typing import NamedTuple

LOCAL_TENANT = "local"
"""The tenant of the command line, and of a gateway without keys."""
_FULL = re.compile(r"(?P<tenant>[^/]+)/(?P<scope>[0-9a-f]{12})/(?P<name>.+)", re.DOTALL)


class Namespace(NamedTuple):
    """A tenant's scope: its classes, tools and queue are seen by nobody else.

    Attributes:
        tenant: who pays; ``local`` on the command line.
        scope: digest of the model, instructions and format that requests came with; empty on the
            command line, which sends the request alone.
    """

    tenant: str = LOCAL_TENANT
    scope: str = ""

    def key(self, name: str) -> "ClassKey":
        """Return the key of a class in this namespace."""
        return ClassKey(self.tenant, self.scope, name)


class ClassKey(NamedTuple):
    """One request class of one namespace. ``str`` gives a text that ``parse`` reads back.

    The text is the plain name in the command line's namespace, ``tenant/scope/name`` elsewhere.
    """

    tenant: str
    scope: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "ClassKey":
        """Return the key that a text stands for; every text stands for one."""
        found = _FULL.fullmatch(text)
        if found is None:
            return cls(LOCAL_TENANT, "", text)
        return cls(found["tenant"], found["scope"], found["name"])

    @property
    def namespace(self) -> Namespace:
        """The namespace that the class is in."""
        return Namespace(self.tenant, self.scope)

    def __str__(self) -> str:
        if self.namespace == Namespace():
            return self.name
        return f"{self.tenant}/{self.scope}/{self.name}"
