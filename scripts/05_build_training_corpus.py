"""outputs/d_04_dataset.jsonl -> outputs/d_05_training_corpus.jsonl: the gate, then prompts with completions."""

from astudent.cli import stage_app

app = stage_app("05_build_training_corpus", __doc__, ["dataset_generation", "prompt", "quality"], "corpus")

if __name__ == "__main__":
    app()
