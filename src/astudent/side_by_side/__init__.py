"""`astudent compare`: evaluated runs on the same samples, each against a reference, with what the sample could show."""
