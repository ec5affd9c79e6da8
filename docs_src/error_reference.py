"""Write docs/errors.md from the source: every error code, with the messages that carry it.

python docs_src/error_reference.py            # writes the page
python docs_src/error_reference.py --check    # fails where the page is out of date
"""

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "toolmint"
PAGE = ROOT / "docs" / "errors.md"
WIDTH = 100
HEAD = """# Error codes

A fault is one line, `error [code]: what was wrong, what was expected, the next step`, with exit
code 1; over HTTP it is the field `code` of the error. Codes are stable. In Python, each error is a
`toolmint.ToolmintError` with `code` and `retryable`. `…` stands for what the message names. This
page is written by `python docs_src/error_reference.py`.
"""


class Raised(NamedTuple):
    """A place that raises an error with a code of its own: the class, and its message (or "")."""

    kind: str
    message: str


def literal(node: ast.expr) -> str:
    """Return a message's text as far as it stands in the source; what is put in is ``…``."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(literal(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return literal(left) + literal(right)
        case _:
            return "…"


def raised(tree: ast.Module) -> Iterator[tuple[str, Raised]]:
    """Yield the codes of a module: those of classes, and those given where an error is made."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name, body=body):
                for one in body:
                    match one:
                        case (
                            ast.Assign(
                                targets=[ast.Name(id="code")], value=ast.Constant(value=str(code))
                            )
                            | ast.AnnAssign(
                                target=ast.Name(id="code"), value=ast.Constant(value=str(code))
                            )
                        ):
                            said = ast.get_docstring(node) or ""
                            yield code, Raised(name, said.split("\n\n")[0].replace("\n", " "))
                        case _:
                            continue
            case ast.Call(func=function, args=args, keywords=keywords):
                name = function.attr if isinstance(function, ast.Attribute) else ""
                name = function.id if isinstance(function, ast.Name) else name
                for word in keywords:
                    if word.arg == "code" and isinstance(word.value, ast.Constant):
                        texts = [literal(one) for one in args if literal(one).strip("… ")]
                        yield str(word.value.value), Raised(name, texts[0] if texts else "")
            case _:
                continue


def page() -> str:
    """Return the whole page: a table for each package, by code."""
    found: defaultdict[str, defaultdict[str, list[Raised]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(SOURCE.rglob("*.py")):
        for code, one in raised(ast.parse(path.read_text(encoding="utf-8"))):
            if one.kind.endswith("Error") or one.message:
                found[path.relative_to(SOURCE).parts[0]][code].append(one)
    lines = [HEAD]
    for package, codes in sorted(found.items()):
        lines.append(f"\n## {package}\n\n| code | message |\n|---|---|")
        for code, places in sorted(codes.items()):
            message = next((one.message for one in places if one.message), places[0].kind)
            head = f"| `{code}` | "
            lines.append(f"{head}{shortened(message, WIDTH - len(head) - 2)} |")
    return "\n".join(lines) + "\n"


def shortened(message: str, longest: int) -> str:
    """Return a message's beginning of at most so many characters, as one cell of a table."""
    text = " ".join(message.split()).replace("|", "\\|").replace("<", "&lt;").replace("``", "`")
    return text if len(text) <= longest else text[: longest - 2].rstrip(" ,;:…") + " …"


def main() -> None:
    """Write the page, or compare it."""
    options = argparse.ArgumentParser(description="Write the list of error codes.")
    options.add_argument("--check", action="store_true", help="compare, and write nothing")
    if not options.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"{PAGE.name} is out of date: run python docs_src/error_reference.py")


if __name__ == "__main__":
    main()
