"""Proves that a check names every mistake of a definition at its line, and none that only follows from another."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smallbox.define import project
from smallbox.define.check import check
from smallbox.errors import DefinitionError

GOOD = """\
from smallbox.define import *

fields = {"id": text(), "at": timestamp(), "who": text(), "amount": number(), "bad": boolean()}
payments = Source("payments", key="id", time="at", fields=fields)
outcome = label(payments, on="id", value="bad", within="1d")
"""
MODEL = 'Model({name!r}, request=payments, inputs=("amount",), label=outcome, estimator=len{more})'

MISTAKES = {
    'x = Source("Payments", key="id", time="at", fields=fields)': "lower-case",
    'x = FeatureView("v", entity="amount", source=payments, features={})': "entity 'amount'",
    'x = FeatureView("v", entity="who", source="payments", features={})': "source is 'payments' (str)",
    'x = FeatureView("v", entity="who", source=payments, features={"a": "1h"})': "aggregates by name",
    'x = Attributes("v", entity="who", source=payments, features={"a": count("1h")})': "attributes by name",
    'x = label(payments, on="id", value="at", within="1d")': "a label is a boolean, a text with choices, or a number",
    'x = label(payments, on="id", value="who", within="1d")': "a text label needs its classes, at least two",
    'x = label(payments, on="id", value="nope", within="1d")': "'nope' is not a field of source payments; it has id",
    'x = label("payments", on="id", value="bad", within="1d")': "label: source is 'payments' (str)",
    'x = Model("m", request=payments, inputs=("amount",))': "Model: label= and estimator= are missing; write them",
    f"x = {MODEL.format(name='m', more=', view=()')}": "there is no 'view='; write views=, or one of name",
    f"x = {MODEL.format(name='m', more=', views=3')}": "a tuple of views",
    f"x = {MODEL.format(name='m', more=', gate=0.7')}": "gate is 0.7 (float); write Gate(...)",
    'x = Source("s", key="id", time="at", fields=fields, lateness="soon")': "'soon' is not a duration",
    "x = number(minimun=0)": "write minimum=",
    "x = boolan()": "did you mean 'boolean'",
    "import not_there_at_all": "'not_there_at_all' is not installed",
    "from smallbox.define import nothing": "cannot import name 'nothing'",
    "from sklearn.pipeline import Pipeline": "import it inside the estimator's function",
    "x = 1 / 0": "ZeroDivisionError: division by zero",
    "raise SystemExit(3)": "SystemExit: 3",
}

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a package of definitions, a text a file, and gives its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def package(**files: str) -> str:
        name = f"written_{tmp_path.name.replace('-', '_')}_{len(made)}"
        made.append(name)
        folder = tmp_path / name
        folder.mkdir()
        for file, content in {"__init__": "", **files}.items():
            (folder / f"{file}.py").write_text(content)
        return name

    return package


def _found(package: str) -> list[tuple[str, int, str]]:
    return [(Path(m.file).stem, m.line, m.message) for m in check(package).mistakes]


@pytest.mark.parametrize(("statement", "says"), MISTAKES.items())
def test_a_mistake_is_named_with_its_line_and_what_to_write(write: Write, statement: str, says: str) -> None:
    """Whatever a statement raises, the check says where and what; so does the import that a function makes."""
    package = write(a=f"{GOOD}{statement}\n")
    ((file, line, message),) = _found(package)
    assert (file, line) == ("a", 6)
    assert says in message
    if "sklearn" not in statement and "SystemExit" not in statement:
        with pytest.raises(DefinitionError) as caught:
            project.load(package)
        assert caught.value.message.endswith(message)
        assert caught.value.details["line"] == 6


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.sampled_from(["y = 1", *(m for m in MISTAKES)]), max_size=8))
def test_every_mistake_is_named_however_many_there_are(write: Write, statements: list[str]) -> None:
    """The lines that are named are exactly those that are wrong: one mistake hides no other."""
    package = write(a=GOOD + "".join(f"{statement}\n" for statement in statements))
    wrong = [line for line, statement in enumerate(statements, 6) if statement in MISTAKES]
    assert [line for _, line, _ in _found(package)] == wrong


def test_what_follows_from_a_mistake_is_not_named(write: Write) -> None:
    """A name that a wrong statement should have defined is no mistake where it is read, in this file or in another."""
    wrong = "view = FeatureView('v', entity='amount', source=payments, features={})"
    reader = "from .a import view\nthird = view.name\nx = boolan()\n"
    package = write(a=f"{GOOD}{wrong}\nother = view.name\n", b=reader)
    assert [(file, line) for file, line, _ in _found(package)] == [("a", 6), ("b", 3)]


def test_a_file_that_is_not_python_hides_no_other_file(write: Write) -> None:
    """A syntax error is named with its line, beside the mistakes of the other files."""
    package = write(a="x = (\n", b=f"{GOOD}y = boolan()\n")
    assert [(file, line) for file, line, _ in _found(package)] == [("a", 1), ("b", 6)]


def test_models_are_held_against_each_other(write: Write) -> None:
    """Two models of one name are named at the second; each is right by itself."""
    twice = f"one = {MODEL.format(name='m', more='')}\ntwo = {MODEL.format(name='m', more='')}\n"
    ((file, line, message),) = _found(write(a=GOOD + twice))
    assert (file, line) == ("a", 7)
    assert "two models are named 'm'" in message


def test_a_label_of_no_defined_source_is_named_at_each_model(write: Write) -> None:
    """Each model is checked apart, so both are named, at their own lines."""
    hidden = "outcome = label(Source('hidden', 'id', 'at', fields), on='id', value='bad', within='1d')\n"
    both = f"one = {MODEL.format(name='m', more='')}\ntwo = {MODEL.format(name='n', more='')}\n"
    found = _found(write(a=GOOD + hidden + both))
    assert [line for _, line, message in found if "label source 'hidden' is not defined" in message] == [7, 8]


def test_right_definitions_give_the_project_that_an_import_gives(write: Write) -> None:
    """A model without views is right, and what was checked is what is loaded afterwards."""
    package = write(a=f"from __future__ import annotations\n{GOOD}m = {MODEL.format(name='m', more='')}\n")
    checked = check(package)
    assert checked.mistakes == ()
    assert checked.project is not None
    assert checked.project.models["m"].views == ()
    assert project.load(package).models["m"] is checked.project.models["m"]
