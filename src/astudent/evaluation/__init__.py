"""How good a student is: metrics per sample, rates with intervals, paired comparisons, and two cheap baselines."""
