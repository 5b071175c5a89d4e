"""outputs/d_03_schema_queries.jsonl -> outputs/d_04_dataset.jsonl:
the teacher answers; then answers are broken on purpose."""

from astudent.cli import stage_app

app = stage_app("04_generate_dataset", __doc__, ["dataset_generation", "teacher"], "dataset", offline_fallback=True)

if __name__ == "__main__":
    app()
