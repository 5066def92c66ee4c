"""The weather: a skill for Dragoman bots."""

from typing import Annotated

from dragoman import Context, Skill
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from .forecast import NoSuchCity, fetch, made_up

__all__ = ["WeatherSettings", "skill"]


class WeatherSettings(BaseModel):
    """What ``[skills.weather]`` in a bot's ``dragoman.toml`` may hold.

    Attributes:
        url: of the service; left out, the weather is made up.
        timeout: seconds that it may take to answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: HttpUrl | None = None
    timeout: Annotated[float, Field(gt=0, le=30)] = 5.0


skill = Skill("weather", summary="The weather anywhere", settings=WeatherSettings)


@skill.command()
async def weather(ctx: Context[WeatherSettings], city: str) -> str:
    """Say what the weather is like in a city."""
    if ctx.settings.url is None:
        return f"{city}: {made_up(city)} (made up: no service is named in `[skills.weather] url`)"
    try:
        # A service that is away is an error like any other: Dragoman tries again, and then tells the person.
        found = await fetch(str(ctx.settings.url), city, ctx.settings.timeout)
    except NoSuchCity:
        return f"I know no weather for {city}. Is it spelt right?"
    return f"{city}: {found}"


@skill.hear(r"\b(?:cold|warm) in (?P<city>\w+)\?")
async def wonder(ctx: Context[WeatherSettings], city: str) -> str:
    """Answer who wonders whether it is cold somewhere."""
    return await weather(ctx, city)
