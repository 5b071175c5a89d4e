"""outputs/student_runs/alignment/dpo_pairs.jsonl -> outputs/student_runs/gemma3-270m-dpo/:
DPO from the SFT adapter."""

from astudent.cli import stage_app

app = stage_app("10_train_alignment_dpo", __doc__, ["alignment"], "align", spelling={"alignment.pairs_out": "--pairs"})

if __name__ == "__main__":
    app()
