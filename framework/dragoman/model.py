"""The one base of everything that crosses an exchange: frozen, and lenient about what it does not know."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Frozen"]


class Frozen(BaseModel):
    """Frozen pydantic data. Unknown fields are ignored: a newer sender may know more than its reader."""

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="null", allow_inf_nan=False)
