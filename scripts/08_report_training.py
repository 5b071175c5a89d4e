"""outputs/student_runs/ -> outputs/reports/: plots and pages of a run."""

from astudent.cli import stage_app

app = stage_app("08_report_training", __doc__, ["report"], "report")

if __name__ == "__main__":
    app()
