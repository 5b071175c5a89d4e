"""Stage 08: outputs/student_runs/ -> outputs/reports/report.md (and report.html), with their plots in plots/"""

from pathlib import Path

from astudent.cli import Options
from astudent.jsonl import write_atomic
from astudent.report import explorer, operators, origin, results, samples, task, training
from astudent.report.constraint import constraint
from astudent.report.disagreements import disagreements
from astudent.report.document import Document, Heading, Paragraph
from astudent.report.html import render_html
from astudent.report.markdown import render_markdown
from astudent.report.runs import EvaluatedRun, load_runs, load_training, result_files
from astudent.settings import Config
from astudent.stage import StageRun, settings_of
from astudent.tasks.registry import has_task, task_of

NAME = "08"


def run(config: Config, options: Options) -> None:
    """Writes the report. RunError when nothing was evaluated."""
    folder = Path(config.report.out_dir)
    runs = load_runs(config)
    stage = StageRun.begin(
        NAME,
        [folder],
        settings_of(config, "report", "teacher.provider", "teacher.model", "training", "evaluation"),
        result_files(config),
        root=config.run.outputs_root,
        fresh=options.fresh,
    )
    if stage.status == "complete":
        return
    document = build_document(config, runs, folder)
    pages = {"report.md": render_markdown(document, folder)}
    if config.report.html:
        pages["report.html"] = render_html(document)
    for name, text in pages.items():
        write_atomic(folder / name, text)
        print(f"{NAME}: wrote {folder / name}", flush=True)
    stage.finish(runs=[run.label for run in runs])


def build_document(config: Config, runs: list[EvaluatedRun], folder: Path) -> Document:
    """All sections in reading order; plots are drawn below `folder`/plots."""
    student = next(run for run in runs if run.label == "SFT")
    metrics = Path(config.report.training_metrics)
    log = load_training(metrics)
    document = Document()
    made_by = f"the task {config.dataset_generation.task}" if has_task(config) else config.teacher.model
    document.add(Heading(f"{config.training.base_model}, taught by {made_by}", 1))
    document.add(
        Paragraph("A small model learns to answer requests with a JSON AST under a schema given in the prompt.")
    )
    document.add(*training.notes(config, runs))
    document.add(*results.headline(runs, student, folder))
    document.add(*results.comparisons(runs))
    document.add(*task.task_figures(runs, student))
    document.add(*results.all_rates(runs))
    document.add(*results.by_kind(runs, student, folder, task_of(config)))
    document.add(*training.curves(log, folder, metrics))
    document.add(*training.roles(log, folder))
    document.add(*training.alignment(config))
    document.add(*constraint(runs))
    document.add(*results.judge(student))
    document.add(*disagreements(student))
    document.add(*operators.operator_confusion(student))
    document.add(*samples.samples(student, runs))
    if config.report.html:
        document.add(*explorer.explorer(runs, student))
    document.add(*origin.provenance(config, runs))
    document.add(*origin.costs(config, runs))
    return document
