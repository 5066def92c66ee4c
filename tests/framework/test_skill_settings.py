"""``[skills.NAME]``: validated by the skill's own model, wherever it was written."""

from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from dragoman import SettingsError
from dragoman.settings import load


class Unit(BaseModel):
    name: str = "celsius"
    digits: int = 1


class Weather(BaseModel):
    api_key: SecretStr
    limit: int = 5
    loud: bool = False
    cities: tuple[str, ...] = ()
    unit: Unit = Unit()
    homes: dict[str, str] = {}


class Lenient(BaseModel):
    model_config = ConfigDict(extra="allow")

    api_key: str = ""
    unit: Unit = Unit()


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(alias="apiKey")]


class Split(BaseModel):
    cities: list[str]

    @field_validator("cities", mode="before")
    @classmethod
    def split(cls, text: Any) -> Any:
        return text.split(";") if isinstance(text, str) else text


def validated(path: Path, model: type[BaseModel], toml: str, **environ: str) -> Any:
    file = path / "dragoman.toml"
    file.write_text(toml)
    return load(file, environ=environ).validate_skill("weather", model)


def mistake(path: Path, model: type[BaseModel], toml: str, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        validated(path, model, toml, **environ)
    return str(caught.value)


def test_a_skill_has_its_own_model(tmp_path: Path) -> None:
    found = validated(
        tmp_path, Weather, '[skills.weather]\napi_key = "x"\nlimit = 3\n[skills.weather.unit]\ndigits = 2'
    )
    assert isinstance(found, Weather)
    assert (found.api_key.get_secret_value(), found.limit, found.unit.digits, found.unit.name) == ("x", 3, 2, "celsius")


def test_a_skill_of_which_nothing_is_written_has_its_defaults(tmp_path: Path) -> None:
    assert validated(tmp_path, Unit, "") == Unit()


def test_texts_of_variables_become_what_the_model_wants(tmp_path: Path) -> None:
    found = validated(
        tmp_path,
        Weather,
        '[skills.weather]\napi_key = "from file"\nlimit = 3',
        DRAGOMAN_SKILLS__WEATHER__API_KEY="0123",
        DRAGOMAN_SKILLS__WEATHER__LIMIT="7",
        DRAGOMAN_SKILLS__WEATHER__LOUD="true",
        DRAGOMAN_SKILLS__WEATHER__CITIES="Rome, Oslo",
        DRAGOMAN_SKILLS__WEATHER__UNIT__DIGITS="3",
        DRAGOMAN_SKILLS__WEATHER__HOMES='{"ann": "Rome"}',
    )
    assert found.api_key.get_secret_value() == "0123"
    assert (found.limit, found.loud, found.cities, found.unit.digits) == (7, True, ("Rome", "Oslo"), 3)
    assert found.homes == {"ann": "Rome"}
    json = validated(tmp_path, Weather, "[skills.weather]\napi_key = 'x'", DRAGOMAN_SKILLS__WEATHER__CITIES='["a,b"]')
    assert json.cities == ("a,b",)


def test_a_models_own_reading_of_a_text_comes_first(tmp_path: Path) -> None:
    assert validated(tmp_path, Split, "[skills.weather]\ncities = 'a,b;c'").cities == ["a,b", "c"]


@pytest.mark.parametrize(
    ("model", "toml", "told"),
    [
        (
            Weather,
            "",
            "skills.weather.api_key is missing: write it there, or DRAGOMAN_SKILLS__WEATHER__API_KEY=... into .env "
            "beside it",
        ),
        (Weather, "api_key = 'x'\nlimt = 3", "skills.weather.limt is not a setting; did you mean limit?"),
        (Weather, "api_key = 'x'\nzzz = 3", "skills.weather.zzz is not a setting"),
        (
            Weather,
            "api_key = 'x'\nunit = {digit = 3}",
            "skills.weather.unit.digit is not a setting; did you mean digits?",
        ),
        (Lenient, "unit = {digit = 3}", "skills.weather.unit.digit is not a setting; did you mean digits?"),
        (Strict, "apikey = 'x'\napiKey = 'y'", "skills.weather.apikey is not a setting; did you mean apiKey?"),
        (
            Weather,
            "api_key = 'x'\nlimit = 'sekret'",
            "skills.weather.limit: Input should be a valid integer, unable to parse string as an integer",
        ),
        (Weather, "api_key = 'x'\ncities = ['a', 3]", "skills.weather.cities[2]: Input should be a valid string"),
        (Weather, "api_key = 'x'\ncities = '[sekret'", "skills.weather.cities: this should be a list"),
    ],
)
def test_a_mistake_is_named_with_what_to_do(tmp_path: Path, model: type[BaseModel], toml: str, told: str) -> None:
    assert mistake(tmp_path, model, f"[skills.weather]\n{toml}") == told


def test_all_mistakes_are_told_at_once_and_no_value_is(tmp_path: Path) -> None:
    told = mistake(tmp_path, Weather, "[skills.weather]\napi_ky = 'sekret'\nlimit = 'sekret'")
    assert "skills.weather.api_ky is not a setting; did you mean api_key?" in told
    assert "skills.weather.api_key is missing" in told
    assert "skills.weather.limit: " in told
    assert "sekret" not in told


def test_a_model_that_allows_more_gets_more(tmp_path: Path) -> None:
    found = validated(tmp_path, Lenient, "[skills.weather]\nother = 3")
    assert found.model_extra == {"other": 3}


def test_an_alias_is_the_name_of_a_setting(tmp_path: Path) -> None:
    assert validated(tmp_path, Strict, "[skills.weather]\napiKey = 'x'").key == "x"
