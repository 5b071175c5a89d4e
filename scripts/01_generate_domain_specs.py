"""data/domain_prompts.jsonl -> outputs/d_01_domain_specs.jsonl:
the teacher proposes fields, values and examples."""

from astudent.cli import stage_app

app = stage_app(
    "01_generate_domain_specs",
    __doc__,
    ["dataset_generation", "teacher"],
    "domain_specs",
    spelling={"dataset_generation.prompts_path": "--prompts"},
    offline_fallback=True,
    asks=True,
)

if __name__ == "__main__":
    app()
