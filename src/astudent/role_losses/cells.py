"""A comparison as cells of a table."""

from astudent.report.formats import UNKNOWN, number
from astudent.role_losses.comparison import RoleComparison

HEADER = ("role", "tokens", "baseline", "fine-tuned", "change", "95% interval", "status")


def cells(each: RoleComparison) -> list[str]:
    """Below HEADER."""
    interval = each.interval_pct
    return [
        str(each.role),
        f"{each.tokens:,}",
        number(each.baseline_loss),
        number(each.finetuned_loss),
        change(each),
        UNKNOWN if interval is None else f"{interval.low:+.1f} to {interval.high:+.1f}%",
        each.status,
    ]


def change(each: RoleComparison) -> str:
    """In percent, or from nothing to what."""
    if each.change_pct is not None:
        return f"{each.change_pct:+.1f}%"
    return UNKNOWN if each.finetuned_loss is None else f"from 0 to {number(each.finetuned_loss)}"
