"""A length of time in an account's settings."""

import pytest
from pydantic import BaseModel, Field, ValidationError

from dragoman.adapting import Span


class Account(BaseModel):
    span: Span = Field("15m", validate_default=True)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("15m", 900.0), ("1h30m", 5400.0), ("0", 0.0), ("90", 90.0), (90, 90.0), (0, 0.0), ("90 seconds", 90.0)],
)
def test_it_is_written_as_people_do_or_in_seconds(written: object, seconds: float) -> None:
    assert Account.model_validate({"span": written}).span == seconds


def test_its_default_may_be_a_text() -> None:
    assert Account().span == 900.0


@pytest.mark.parametrize("written", ["soon", "-1", -1, "", "inf", "nan", None])
def test_anything_else_is_an_error(written: object) -> None:
    with pytest.raises(ValidationError):
        Account.model_validate({"span": written})
