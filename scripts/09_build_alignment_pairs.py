"""outputs/student_runs/eval-align/ -> outputs/student_runs/alignment/dpo_pairs.jsonl:
the teacher's answer against the student's."""

from astudent.cli import stage_app

app = stage_app(
    "09_build_alignment_pairs",
    __doc__,
    ["alignment"],
    "pairs",
    spelling={"alignment.only_rejected": "--only-rejected/--all"},
)

if __name__ == "__main__":
    app()
