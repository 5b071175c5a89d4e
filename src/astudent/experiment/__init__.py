"""The experiment: one configuration trained with and without selective loss, side by side, on the same seeds."""
