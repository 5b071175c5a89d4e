"""outputs/student_runs/alignment/dpo_pairs.jsonl -> outputs/student_runs/gemma3-270m-dpo/:
DPO from the SFT adapter."""

from astudent.cli import stage_app

SECTIONS = ["alignment", "quality.require_pass"]
SPELLING = {"alignment.pairs_out": "--pairs", "quality.require_pass": "--require-pass/--allow-unchecked"}

app = stage_app("10_train_alignment_dpo", __doc__, SECTIONS, "align", spelling=SPELLING)

if __name__ == "__main__":
    app()
