"""outputs/d_04_dataset.jsonl -> outputs/d_05_training_corpus.jsonl: the gate, then prompts with completions."""

from astudent.cli import stage_app

SECTIONS = ["dataset_generation", "prompt", "quality"]
SPELLING = {"quality.require_pass": "--require-pass/--allow-unchecked"}

app = stage_app("05_build_training_corpus", __doc__, SECTIONS, "corpus", spelling=SPELLING)

if __name__ == "__main__":
    app()
