"""Secrets do not get into a bug report, in whatever form they stand there."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dusty_tasks.core.of_verbs.redaction import BORING, REDACTED, Redactor, values_below, without_values

PRINTABLE = (
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=4, max_size=40)
    .map(str.strip)
    .filter(lambda text: len(text) >= 4 and text.lower() not in BORING and not text.isdigit() and text not in REDACTED)
)


@given(PRINTABLE, st.text(max_size=20), st.text(max_size=20))
def test_a_known_value_is_gone_wherever_it_stands(secret: str, before: str, after: str) -> None:
    assert secret not in Redactor([secret], []).text(before + secret + after).replace(REDACTED, "\0")


@given(PRINTABLE)
def test_it_is_gone_as_json_and_yaml_write_it_too(secret: str) -> None:
    redactor = Redactor([secret], [])
    for text in (
        json.dumps({"k": secret}, ensure_ascii=False),
        yaml.safe_dump({"k": secret}, allow_unicode=True, width=1000),
    ):
        found = yaml.safe_load(redactor.text(text))
        assert secret not in str(found).replace(REDACTED, "\0")


def test_the_lines_of_a_key_are_secrets_each() -> None:
    redactor = Redactor(["-----BEGIN X-----\nabcdef0123\nghijkl4567\n"], [])
    assert redactor.text("saw ghijkl4567 and abcdef0123") == f"saw {REDACTED} and {REDACTED}"


@pytest.mark.parametrize(
    "text",
    [
        "cloning https://me:s3cr3t@git.corp/x.git",
        "ssh://user:s3cr3t@h/x",
        "redis://:s3cr3t@cache:6379/0",
        "PASSWORD=s3cr3t",
        'db_password: "s3cr3t"',
        "'api_key': 's3cr3t'",
        "--requirepass s3cr3t",
        "Authorization: Bearer s3cr3t",
        "authorization: basic s3cr3t",
        "SECRET_TOKEN = s3cr3t",
        "my-access-key: s3cr3t",
        "-----BEGIN RSA PRIVATE KEY-----\ns3cr3t\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\ns3cr3t and no end",
    ],
)
def test_unknown_secrets_in_telling_forms_go_as_well(text: str) -> None:
    assert "s3cr3t" not in Redactor([], []).text(text)


@pytest.mark.parametrize(
    "token",
    [
        "ghp_" + "a1" * 18,
        "github_pat_" + "a1" * 15,
        "glpat-" + "a1" * 10,
        "xoxb-" + "1234567890-ab",
        "AKIA" + "A1" * 8,
        "sk-" + "a1" * 16,
        "eyJhbGciOi.eyJzdWIiOi.abc-_",
    ],
)
def test_tokens_are_known_by_their_form(token: str) -> None:
    assert Redactor([], []).text(f"said {token} here") == f"said {REDACTED} here"


def test_the_home_folder_goes_and_others_stay() -> None:
    redactor = Redactor([], ["/home/ann", "/"])
    assert redactor.text("/home/ann/x /home/anna /home/ann: /data/home/ann") == "~/x /home/anna ~: /data~"


def test_common_words_and_short_numbers_stay_readable() -> None:
    assert (
        Redactor(["true", "80", "8080", "abc", "debug"], []).text("true 80 8080 abc debug") == "true 80 8080 abc debug"
    )


CONFIG = {
    "env": {"web": {"A": "x", "B": None}},
    "services": {"web": {"environment": ["K=v=1", "L"], "build": {"args": {"T": 1}}, "image": "i"}},
}


def test_values_of_variables_go_whatever_they_are_and_names_stay() -> None:
    assert without_values(CONFIG) == {
        "env": {"web": {"A": REDACTED, "B": None}},
        "services": {
            "web": {"environment": [f"K={REDACTED}", REDACTED], "build": {"args": {"T": REDACTED}}, "image": "i"}
        },
    }
    assert values_below(CONFIG) == ["x", "v=1", "L", "1"]


@pytest.mark.parametrize("word", ["x", "password", "http", "a:", "://", "token "])
def test_a_line_of_a_megabyte_is_read_in_one_go(word: str) -> None:
    """A pattern that looks at the rest of a line from each of its letters would take hours."""
    line = (word * 1_000_000)[:1_000_000]
    assert "hunter2" not in Redactor([], []).text(f"{line}\npassword=hunter2\n")
