"""Rendered forms with choices, counts and ticks: images whose right answer is known, for vision-language students."""

from astudent.tasks.forms.rows import chat_rows

__all__ = ["chat_rows"]
