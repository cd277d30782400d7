"""A field's rule is one: what `fields.py` says holds at every door, and the schema refuses the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from psycopg import errors as pg

from roost.database import Connection
from roost.directory import fields
from roost.directory.changes import checked
from roost.directory.fields import RULES
from roost.directory.import_file import COLUMNS
from roost.directory.rules import BadField, NumberRule, TextRule
from roost.people.person import PASSWORD
from tests.world import World
from workers.cli import extension as of_extension
from workers.cli import options
from workers.cli import organization as of_organization
from workers.cli import phone as of_phone
from workers.web.api import (
    calls,  # noqa: F401 - so that all models are known
    cluster,  # noqa: F401
    people,  # noqa: F401
)
from workers.web.api.models import Given
from workers.web.pages.render import limits, templates

#: Each field that the schema holds too.
STORED: list[tuple[str, str, TextRule | NumberRule]] = [
    ("organization", "code", fields.ORGANIZATION_CODE),
    ("organization", "name", fields.DISPLAY_NAME),
    ("organization", "policy", fields.POLICY),
    ("organization", "lock_after", fields.LOCK_AFTER),
    ("organization", "phone_lock_after", fields.PHONE_LOCK_AFTER),
    ("extension", "number", fields.SHORT_NUMBER),
    ("extension", "name", fields.DISPLAY_NAME),
    ("extension", "account_code", fields.ACCOUNT_CODE),
    ("extension", "mailbox", fields.MAILBOX),
    ("pbx_node", "name", fields.NODE_NAME),
    ("pbx_node", "port", fields.PORT),
    ("phone", "name", fields.PHONE_NAME),
    ("phone", "emergency_number", fields.EMERGENCY_NUMBER),
    ("phone", "emergency_location", fields.EMERGENCY_LOCATION),
    ("person", "login", fields.LOGIN),
    ("person", "name", fields.DISPLAY_NAME),
    ("token", "name", fields.TOKEN_NAME),
]
#: What a field may hold or not, character by character; the last of the C1 control characters, say, and what comes after it.
CHARACTERS = "aZ09._-@+*/ \t\n\x01\x1f\x7f\x80\x85\x9f\xa0é漢😀"
#: Fields of the API's models that hold a rule of another name.
OTHER_NAMES = {
    "organization": fields.ORGANIZATION_CODE,
    "code": fields.ORGANIZATION_CODE,
    "extension": fields.EXTENSION_KEY,
    "base": fields.EXTENSION_KEY,
    "phone": fields.PHONE_NAME,
    "node": fields.NODE_NAME,
    "secret": fields.NODE_SECRET,
    "login": fields.LOGIN,
    "password": PASSWORD,
    "reason": fields.REASON,
    "max_stay": fields.DURATION,
    "lock_for": fields.DURATION,
    "lifetime": fields.DURATION,
    "daily_return": fields.WALL_CLOCK,
}
OF_MODEL = {
    ("NewPhone", "name"): fields.PHONE_NAME,
    ("NewNode", "name"): fields.NODE_NAME,
    ("NewToken", "name"): fields.TOKEN_NAME,
    ("NewCode", "code"): fields.SECRET_CODE,
}
#: What no rule of a field is for: choices, and what a call's server or a kind of PBX says.
NO_FIELDS = {"kind", "role", "access", "username", "options", "call", "dialled", "state", "digits"}
INPUTS = {
    "reason": fields.REASON,
    "phone": fields.PHONE_NAME,
    "number": fields.SHORT_NUMBER,
    "code": fields.SECRET_CODE,
    "max_stay": fields.DURATION,
    "lock_for": fields.DURATION,
    "lifetime": fields.DURATION,
    "timezone": fields.TIMEZONE,
    "lock_after": fields.LOCK_AFTER,
    "phone_lock_after": fields.PHONE_LOCK_AFTER,
    "organization": fields.ORGANIZATION_CODE,
    "q": fields.SEARCH,
    "new": PASSWORD,
}


def candidates(rule: TextRule | NumberRule) -> Iterator[object]:
    """Values at the borders of a rule."""
    if isinstance(rule, NumberRule):
        yield from (rule.least - 1, rule.least, rule.most, rule.most + 1)
        return
    lengths = {
        0,
        1,
        rule.least - 1,
        rule.least,
        rule.most,
        rule.most + 1,
        *(rule.most // n for n in (2, 3, 4)),
    }
    yield from (character * length for character in CHARACTERS for length in sorted(lengths) if length >= 0)
    yield from ("refuse", "displace", "a" + "." * 63, "x\n", "\nx")


def allowed(rule: TextRule | NumberRule, value: object) -> bool:
    try:
        return rule.check(value) == value  # type: ignore[arg-type]  # a text for a rule of text
    except BadField:
        return False


def accepts(connection: Connection, table: str, column: str, value: object) -> bool:
    """Whether the database takes the value; nothing is left of it."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(f"UPDATE {table} SET {column} = %s", (value,))
    except pg.CheckViolation as error:
        return error.diag.constraint_name != f"{table}_{column}_check"
    return True


def test_the_schema_refuses_what_the_rules_refuse(world: World) -> None:
    world.office("001")
    world.sql("INSERT INTO person (login, role, password_hash) VALUES ('ann', 'operator', '')")
    world.sql("INSERT INTO token (name, token_hash, access) VALUES ('t', '', 'read')")
    differing = []
    with world.database.connection() as connection, connection.transaction():
        for table, column, rule in STORED:
            values = list(candidates(rule))
            assert {allowed(rule, value) for value in values} == {True, False}
            differing += [
                (table, column, value)
                for value in values
                if accepts(connection, table, column, value) != allowed(rule, value)
                # A name of blanks alone is refused at the doors; the schema only wants some character.
                and not (rule is fields.TOKEN_NAME and str(value).strip() == "" != value)
            ]
    assert differing == []


def test_the_directory_refuses_what_the_rules_refuse() -> None:
    for name, rule in RULES.items():
        for value in candidates(rule):
            if allowed(rule, value):
                assert checked({name: value}) == {name: value}
            else:
                with pytest.raises(BadField, match=re.escape(rule.words)):
                    checked({name: value})


def test_the_models_of_the_api_ask_for_the_same() -> None:
    def every(model: type[Given]) -> Iterator[type[Given]]:
        for below in model.__subclasses__():
            yield below
            yield from every(below)

    seen = set()
    for model in every(Given):
        for name, shape in model.model_json_schema()["properties"].items():
            choices: list[dict[str, Any]] = [shape, *shape.get("anyOf", [])]
            rule = OF_MODEL.get((model.__name__, name)) or RULES.get(name) or OTHER_NAMES.get(name)
            if isinstance(rule, TextRule):
                assert f"^(?:{rule.pattern})$" in [choice.get("pattern") for choice in choices], (model, name)
                assert rule.most in [choice.get("maxLength") for choice in choices]
            elif isinstance(rule, NumberRule):
                assert (rule.least, rule.most) == (shape["minimum"], shape["maximum"])
            else:
                assert name in NO_FIELDS or all(choice.get("type") != "string" for choice in choices), (
                    model,
                    name,
                )
            seen.add(name)
    assert seen >= {*RULES, *OTHER_NAMES}


def test_the_inputs_of_the_pages_ask_for_the_same() -> None:
    environment = templates()
    names = {id(rule): name for name, rule in vars(fields).items()} | {id(PASSWORD): "PASSWORD"}
    seen = set()
    for template in environment.list_templates(extensions=["html"]):
        source, _, _ = environment.loader.get_source(environment, template)  # type: ignore[union-attr]  # it has one
        for found in re.finditer(
            r"<input\b[^>]*>", re.sub(r"\{\{.*?\}\}", lambda m: m[0].replace(">", ""), source)
        ):
            text = found[0]
            assert re.search(r'\b(maxlength|minlength|pattern|min|max)="[^{]', text) is None, (template, text)
            name = re.search(r'name="([a-z_]+)"', text)
            if name is None or re.search(r'type="(hidden|checkbox|radio|time|datetime-local|file)"', text):
                continue
            assert "limits(" in text or 'maxlength="{{' in text or template == "journal.html", (
                template,
                text,
            )
            if name[1] in INPUTS and (template, name[1]) != ("organizations.html", "code"):
                rule = names[id(INPUTS[name[1]])]
                assert re.search(rf"limits\((fields\.)?{rule}\)", text), (template, text)
                seen.add(name[1])
    assert seen == set(INPUTS)


def test_an_input_says_what_its_rule_allows() -> None:
    assert limits(fields.LOCK_AFTER) == 'type="number" min="1" max="1000"'
    assert limits(fields.SHORT_NUMBER) == (
        'minlength="1" maxlength="16" pattern="[0-9]{1,16}" title="1 to 16 digits"'
    )


@pytest.mark.parametrize("rule", [*(r for r in vars(fields).values() if isinstance(r, TextRule)), PASSWORD])
def test_browsers_read_the_patterns(rule: TextRule) -> None:
    """In their flag `v`, these must be escaped within brackets, and no punctuator stands there twice."""
    for inside in re.findall(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]", rule.pattern):
        bare = re.sub(r"\\x..|\\.", "", inside)
        assert not re.search(r"[()\[\]{}/|]", bare)
        assert not re.search(r"([&!#$%*+,.:;<=>?@^`~])\1", bare)
        assert re.fullmatch(r"\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|-|[^-])*", bare)


def test_an_import_asks_for_the_same() -> None:
    rules = RULES | {
        "organization": fields.ORGANIZATION_CODE, "number": fields.SHORT_NUMBER, "phone": fields.PHONE_NAME,
        "node": fields.NODE_NAME,
    }  # fmt: skip
    for name, column in COLUMNS.items():
        if name != "allows_virtualization":
            assert column.check == rules[name].check, name


def test_the_help_of_the_commands_says_the_same() -> None:
    said: list[tuple[object, TextRule | NumberRule]] = [
        (options.Name, fields.DISPLAY_NAME),
        (of_organization.Code, fields.ORGANIZATION_CODE),
        (of_organization.LockAfter, fields.LOCK_AFTER),
        (of_organization.PhoneLockAfter, fields.PHONE_LOCK_AFTER),
        (of_extension.AccountCode, fields.ACCOUNT_CODE),
        (of_extension.Mailbox, fields.MAILBOX),
        (of_phone.Phone, fields.PHONE_NAME),
        (of_phone.EmergencyNumber, fields.EMERGENCY_NUMBER),
        (of_phone.EmergencyLocation, fields.EMERGENCY_LOCATION),
    ]
    for option, rule in said:
        assert rule.words in get_args(option)[1].help


def test_free_text_is_taken_in_one_normal_form_and_never_half_a_character() -> None:
    assert fields.DISPLAY_NAME.check("Ana\u0308" * 16) == "An\u00e4" * 16
    assert fields.DISPLAY_NAME.check("a\u0308" * 64) == "\u00e4" * 64
    for rule in (fields.DISPLAY_NAME, fields.EMERGENCY_LOCATION, fields.REASON, fields.SEARCH):
        for bad in ("Ana\ud800", "\udcff", "a\x00", "\u0308" * 10_000):
            with pytest.raises(BadField):
                rule.check(bad)
    with pytest.raises(BadField):
        fields.ORGANIZATION_CODE.check("\u212a")  # a Kelvin sign: in form C it would be a K
