"""outputs/d_05_training_corpus.jsonl -> outputs/student_runs/gemma3-270m/: LoRA fine-tuning of the student."""

from astudent.cli import stage_app

app = stage_app("06_train_student_unsloth", __doc__, ["training"], "train")

if __name__ == "__main__":
    app()
