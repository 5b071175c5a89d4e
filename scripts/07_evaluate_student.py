"""outputs/d_04_dataset.jsonl -> outputs/student_runs/eval/: the student answers, then the teacher judges."""

from astudent.cli import stage_app

app = stage_app(
    "07_evaluate_student", __doc__, ["evaluation"], "evaluate", spelling={"evaluation.splits": "--split"}, asks=True
)

if __name__ == "__main__":
    app()
