"""outputs/d_02_final_schemas.jsonl -> outputs/d_03_schema_queries.jsonl: the teacher writes more requests."""

from astudent.cli import stage_app

app = stage_app(
    "03_generate_example_queries",
    __doc__,
    ["dataset_generation", "teacher"],
    "queries",
    spelling={
        "dataset_generation.final_schemas_out": "--schemas",
        "dataset_generation.per_schema_queries": "--per-schema",
    },
    offline_fallback=True,
    asks=True,
)

if __name__ == "__main__":
    app()
