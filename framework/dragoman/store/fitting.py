"""Texts from outside in columns: of limited size, and of characters that every database takes."""

from hashlib import sha256

__all__ = ["fits", "fitting", "storable"]


def fits(text: str, most: int) -> bool:
    """Whether a column of so many characters can hold the text (PostgreSQL has no NUL, and no half characters)."""
    return len(text) <= most and text == _clean(text)


def fitting(text: str, most: int) -> str:
    """The text; when it does not fit, as much of it as does and a hash of all of it: still one of its own."""
    if fits(text, most):
        return text
    return f"{_clean(text)[: most - 65]}#{sha256(text.encode(errors='surrogatepass')).hexdigest()}"


def storable(text: str) -> str:
    """An error's text may hold what no database takes: NUL (PostgreSQL), half of a surrogate pair (both)."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _clean(text: str) -> str:
    return text.replace("\0", "").encode(errors="ignore").decode()
