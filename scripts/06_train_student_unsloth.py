"""outputs/d_05_training_corpus.jsonl -> outputs/student_runs/gemma3-270m/: LoRA fine-tuning of the student."""

from astudent.cli import stage_app

SECTIONS = ["training", "quality.require_pass"]
SPELLING = {
    "training.use_selective_loss": "--use-selective-loss/--no-selective-loss",
    "quality.require_pass": "--require-pass/--allow-unchecked",
}

app = stage_app("06_train_student_unsloth", __doc__, SECTIONS, "train", spelling=SPELLING, previews=True)

if __name__ == "__main__":
    app()
