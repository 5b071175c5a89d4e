"""Sub-commands of `astudent`, one file for each group."""
