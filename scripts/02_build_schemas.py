"""outputs/d_01_domain_specs.jsonl -> outputs/d_02_final_schemas.jsonl: specs and operators go into the template."""

from astudent.cli import stage_app

app = stage_app(
    "02_build_schemas",
    __doc__,
    ["dataset_generation"],
    "schemas",
    spelling={"dataset_generation.schema_specs_out": "--domain-specs"},
)

if __name__ == "__main__":
    app()
