"""The student: the only part of the package that imports torch.

Importing this package is cheap on purpose; import the module that you need
(`load`, `sft`, `dpo`, `generate`) inside the function that needs it.
"""
