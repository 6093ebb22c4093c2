"""Merge fields in one-line texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.merge_fields import MergeField, fill, find, missing, problems

KNOWN = ["target.name", "target.last_name", "supporter.first_name"]


def messages(text: str) -> list[str]:
    return [problem.message for problem in problems(text, known=KNOWN)]


def test_fields_are_found_in_order_with_their_fallbacks() -> None:
    found = find("{{target.name}}, {{  supporter.first_name | dear friend }} {{ target.name|}}")

    assert found == (
        MergeField("target.name", None, "{{target.name}}"),
        MergeField("supporter.first_name", "dear friend", "{{  supporter.first_name | dear friend }}"),
        MergeField("target.name", "", "{{ target.name|}}"),
    )


def test_a_text_without_fields_has_none() -> None:
    assert find("Keep the { library } open }} on Sundays {{") == ()


def test_values_fill_their_fields() -> None:
    text = fill(
        "Thank you, {{ target.name }}! Yours, {{ supporter.first_name|friend }}", {"target.name": "Ana Ruiz"}
    )

    assert text == "Thank you, Ana Ruiz! Yours, friend"


@pytest.mark.parametrize("value", [None, "", "  ", "\n\x00"])
def test_a_blank_value_gives_way_to_the_fallback(value: str | None) -> None:
    assert fill("Dear {{ x.y|friend }}, {{ x.y }}.", {"x.y": value}) == "Dear friend, ."


def test_values_are_never_filled_again() -> None:
    assert fill("{{ a.b }} {{ c.d }}", {"a.b": "{{ c.d }}", "c.d": "{{ a.b }}"}) == "{{ c.d }} {{ a.b }}"


def test_values_stay_on_one_line_and_can_be_encoded() -> None:
    filled = fill("To: {{ a.b }}\ud800\x00", {"a.b": "Eve\r\nBcc: all\u2028x\udfff"})

    assert filled == "To: Eve Bcc: all x\ufffd\ufffd"
    assert filled.encode()


def test_template_tags_are_only_text() -> None:
    assert fill("{% now 'Y' %} {# x #} {{ a.b }}", {"a.b": "{% x %}"}) == "{% now 'Y' %} {# x #} {% x %}"


def test_an_unknown_field_is_named_with_the_nearest_one() -> None:
    found = problems("{{ target.nmae }} {{ target.nmae }} {{ target.name }}", known=KNOWN)

    assert [problem.name for problem in found] == ["target.nmae"]
    assert found[0].message == "There is no merge field {{ target.nmae }}. Did you mean {{ target.name }}?"


@pytest.mark.parametrize(
    "text",
    [
        "Dear {{ target.name",
        "Dear target.name }}",
        "{{ }}",
        "{{|friend}}",
        "{{ a {{ target.name }}",
        "{{{ target.name }}}",
    ],
)
def test_broken_braces_are_reported(text: str) -> None:
    assert any("not written right" in message for message in messages(text))


def test_a_field_with_single_braces_is_reported() -> None:
    assert messages("Dear { target.name }, {see below}") == [
        "{target.name} needs two braces on each side: {{ target.name }}."
    ]


def test_a_right_text_has_no_problems() -> None:
    assert messages("{{ target.name }} {and} {{supporter.first_name|friend}} :-}") == []


def test_missing_names_each_empty_field_once() -> None:
    fields = find("{{ a.b }} {{ a.b }} {{ c.d }} {{ e.f|x }} {{ g.h|}} {{ i.j }}")

    assert [field.name for field in missing(fields, {"c.d": " ", "i.j": "here"})] == ["a.b", "c.d"]


@given(st.text(st.sampled_from("{}| a.\n\x00\ud800")), st.text())
def test_no_text_is_too_odd(text: str, value: str) -> None:
    values = {field.name: value for field in find(text)}

    assert "\x00" not in fill(text, values).encode().decode()
    assert all(problem.message.encode() for problem in problems(text, known=["a"]))
    assert all(field.name for field in missing(find(text), {}))
