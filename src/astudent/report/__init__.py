"""The report: one document of plain blocks, drawn as Markdown and as a self-contained page, with its plots."""
