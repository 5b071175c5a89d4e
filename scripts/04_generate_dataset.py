"""outputs/d_03_schema_queries.jsonl -> outputs/d_04_dataset.jsonl:
the teacher answers; then answers are broken on purpose."""

from astudent.cli import stage_app

sections = ["dataset_generation", "teacher"]
app = stage_app("04_generate_dataset", __doc__, sections, "dataset", offline_fallback=True, asks=True)

if __name__ == "__main__":
    app()
