"""Teaches a small model to answer with JSON, and measures by grammar role what it gets wrong."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astudent.role_losses.analysis import analyze

__all__ = ["analyze"]


def __getattr__(name: str) -> Any:
    """`analyze`, found when it is asked for: every command imports this package."""
    if name == "analyze":
        from astudent.role_losses.analysis import analyze

        return analyze
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
