"""The documented environment is the environment that is read."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READERS = ("config/settings.py", "gunicorn.conf.py")


def variables_read(source: str) -> set[str]:
    """The first arguments of all calls of `env(…)` and `env.<kind>(…)`."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {
        argument.value
        for call in calls
        if re.fullmatch(r"env(\.\w+)?", ast.unparse(call.func))
        for argument in call.args[:1]
        if isinstance(argument, ast.Constant)
    }


def variables_documented(example: str) -> set[str]:
    return set(re.findall(r"^#? ?([A-Z][A-Z_]+)=", example, re.MULTILINE))


def test_every_variable_that_is_read_is_in_the_example_and_the_other_way_round():
    read = set().union(*(variables_read((ROOT / reader).read_text()) for reader in READERS))

    assert variables_documented((ROOT / ".env.example").read_text()) == read


def test_every_variable_in_the_example_says_why():
    lines = (ROOT / ".env.example").read_text().splitlines()
    unexplained = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if re.match(r"#? ?[A-Z][A-Z_]+=", line) and not before.startswith("# ")
    ]

    assert unexplained == []
