"""The configuration's sections: names, types, limits and meaning of every key. Values stand in config/defaults.json.

Plain frozen dataclasses, so that `--help` can list them without the cost of pydantic; `config.py` lets pydantic
validate them. The string in each annotation is the flag's help text.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le, Lt, MinLen

Count = Annotated[int, Ge(1)]
Whole = Annotated[int, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]
PartShare = Annotated[float, Ge(0), Lt(1)]
Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Text = Annotated[str, MinLen(1)]
Backend = Literal["auto", "unsloth", "transformers"]
SplitName = Literal["train", "align", "test_seen", "test_unseen"]
TaskSplit = Literal["train", "align", "test_seen"]


class Section:
    """What pydantic models offer and stages use: its keys, a dict of their values, and a copy with other ones."""

    __pydantic_config__ = {"extra": "forbid", "strict": True, "allow_inf_nan": False}  # noqa: RUF012

    @classmethod
    def annotations(cls) -> dict[str, Any]:
        """Key -> annotation, those of the classes that it extends first."""
        return {key.name: key.type for key in fields(cls)}  # type: ignore[arg-type]

    def model_dump(self) -> dict[str, Any]:
        """Key -> value, sections nested."""
        return asdict(self)  # type: ignore[call-overload]

    def model_copy(self, update: dict[str, Any]) -> Self:
        """The same with some values replaced; they are not validated again."""
        return replace(self, **update)  # type: ignore[type-var]


@dataclass(frozen=True, kw_only=True)
class Run(Section):
    """What belongs to a whole run."""

    outputs_root: Annotated[Text, "Folder of every artefact; a file that sets it moves the outputs that it inherits."]
    pretty_dir: Annotated[Text, "Folder for the prettified copies of the data files."]
    min_free_gb: Annotated[NotNegative, "Free disk space (GB) that a run asks for before it starts."]


@dataclass(frozen=True, kw_only=True)
class DatasetGeneration(Section):
    """Stages 01 to 05: domains, schemas, requests, ASTs, corpus."""

    task: Annotated[
        Literal["language", "support", "documents"],
        "What the rows teach: the query language of this repository, or a benchmark task whose rows Python makes alone.",
    ]
    task_rows: Annotated[
        dict[TaskSplit, Whole],
        "Rows that a benchmark task makes for each split (documents: under each of its schemas).",
    ]
    prompts_path: Annotated[Text, "JSONL of domain prompts."]
    base_schema_template: Annotated[Text, "Template that every schema grows from."]
    operator_catalog: Annotated[Text, "Typed operators with their English and French phrasings."]
    max_domains: Annotated[Count | None, "Use only the first N domain prompts (none: all)."]
    schemas_per_domain: Annotated[Count, "Schemas built for each domain."]
    examples_per_schema: Annotated[Whole, "Example requests that the teacher gives with each domain spec."]
    per_schema_queries: Annotated[Whole, "Further requests asked for each schema."]
    min_operators: Annotated[Count, "Fewest operators in a schema."]
    max_operators: Annotated[Count, "Most operators in a schema."]
    languages: Annotated[tuple[Literal["en", "fr"], ...], MinLen(1), "Languages of the requests, in equal shares."]
    typo_rate: Annotated[Share, "Share of the embedded teacher's requests that carry a typing error."]
    positives_per_schema: Annotated[Count, "Accepted rows for each schema, exactly."]
    negative_ratio: Annotated[NotNegative, "Broken ASTs for each accepted row."]
    align_share: Annotated[PartShare, "Share of a training schema's rows kept for alignment."]
    test_seen_share: Annotated[PartShare, "Share of a training schema's rows kept for the test on seen schemas."]
    test_unseen_share: Annotated[PartShare, "Share of the domains kept for the test on unseen schemas."]
    include_invalid: Annotated[bool, "Put repair examples made from the broken ASTs into the corpus."]
    max_samples: Annotated[Count | None, "Most rows in the corpus (none: all)."]
    seed: Annotated[Whole, "Seed of everything that is drawn."]
    schema_specs_out: Annotated[Text, "Domain specs: written by 01, read by 02."]
    final_schemas_out: Annotated[Text, "Schemas: written by 02, read by 03 and 04."]
    schema_queries_out: Annotated[Text, "Requests: written by 03 (04 appends), read by 04."]
    dataset_out: Annotated[Text, "Requests with their ASTs: written by 04, read by 05 and 07."]
    training_corpus_out: Annotated[Text, "Prompts with completions: written by 05, read by 06."]


@dataclass(frozen=True, kw_only=True)
class Prompt(Section):
    """The prompt that training, evaluation, alignment and a served model share."""

    instruction: Annotated[Text, "First lines of every prompt."]
    schema_rendering: Annotated[Literal["json", "compact"], "The schema as JSON, or in its lossless short form."]


@dataclass(frozen=True, kw_only=True)
class Teacher(Section):
    """Who makes the data."""

    provider: Annotated[Literal["ollama", "embedded"], "An Ollama server, or the teacher without a model."]
    model: Annotated[Text, "Model id on the Ollama server; LLM_MODEL and .llmrc stand before this key."]
    hosts: Annotated[tuple[str, ...], "Ollama servers (none named: OLLAMA_HOST, else the client's own default)."]
    think: Annotated[bool | Literal["low", "medium", "high"] | None, "How much a thinking model thinks (none: unset)."]
    temperature: Annotated[NotNegative, "Temperature of answers and verdicts."]
    samples: Annotated[
        Count, "Answers asked for each request, at creative_temperature above 1; the most frequent meaning counts."
    ]
    least_agreement: Annotated[Share, "Share of the samples that must mean the same."]
    round_trip: Annotated[bool, "Put each AST back into words and keep it only where these ask for the same."]
    creative_temperature: Annotated[
        NotNegative, "Temperature of domain specs and requests, and of answers where several are asked."
    ]
    timeout_seconds: Annotated[Positive, "Longest wait for one reply (s)."]
    patience_seconds: Annotated[NotNegative, "How long a busy or absent server is tried again (s)."]
    max_in_flight: Annotated[
        Count, "Most requests under way at one time on each host; how many there are follows what the host can bear."
    ]
    num_ctx: Annotated[
        Count | None, "Context (tokens) of all requests; another reloads the model (none: from the longest prompt)."
    ]
    num_predict: Annotated[Count, "Longest reply (tokens), thinking included."]
    keep_alive: Annotated[Text, "How long the server keeps the model after a request, as Ollama writes it."]
    cache_path: Annotated[Text, "SQLite file of the replies already paid for; it outlives the outputs."]
    cache_max_mb: Annotated[Positive, "Size of the cache at which its oldest replies go (MB)."]


@dataclass(frozen=True, kw_only=True)
class Learning(Section):
    """What both trainings have: the base, how it computes, the optimizer, the records."""

    base_model: Annotated[Text, "Base model: an id on the model hub, or a local folder."]
    base_revision: Annotated[str | None, "Commit or tag of the base on the hub (none: its newest)."]
    backend: Annotated[Backend, "unsloth needs a CUDA GPU; auto takes it where there is one."]
    load_in_4bit: Annotated[bool, "Load the base in 4 bits (CUDA only)."]
    bf16: Annotated[bool, "Compute in bfloat16 (a GPU that can, only)."]
    use_gradient_checkpointing: Annotated[bool, "Trade time for memory."]
    max_seq_length: Annotated[Count, "Longest row (tokens); longer ones are refused by name."]
    grad_accum: Annotated[Count, "Batches in an optimizer step."]
    learning_rate: Annotated[Positive, "Highest learning rate."]
    lr_scheduler_type: Annotated[Text, "Learning-rate schedule, by transformers' name."]
    warmup_steps: Annotated[Whole, "Steps until the highest learning rate."]
    weight_decay: Annotated[NotNegative, "Weight decay."]
    max_grad_norm: Annotated[Positive, "Gradients are clipped to this norm."]
    optim: Annotated[Text, "Optimizer, by transformers' name."]
    role_weights: Annotated[dict[str, NotNegative], "Weight of each grammar role in the loss (1 where unnamed)."]
    keep_rate: Annotated[Share, "Chance that a token which is left out, or has weight 0, counts all the same."]
    logging_steps: Annotated[Count, "Steps between training lines in the metrics."]
    save_steps: Annotated[Count, "Steps between checkpoints."]
    save_total_limit: Annotated[Count, "Checkpoints kept."]
    report_to: Annotated[Text, "Experiment tracker, by transformers' name."]


@dataclass(frozen=True, kw_only=True)
class Training(Learning):
    """Stage 06: LoRA fine-tuning of the student."""

    modality: Annotated[
        Literal["text", "vision"], "vision: a vision-language base learns chat rows with images (docs/vision.md)."
    ]
    training_corpus: Annotated[Text, "Corpus to train on."]
    output_dir: Annotated[Text, "Folder of the run: checkpoints, metrics, run_config.json."]
    lora_r: Annotated[Count, "Rank of the adapter."]
    lora_alpha: Annotated[Count, "The adapter is scaled by lora_alpha / lora_r."]
    lora_dropout: Annotated[PartShare, "Dropout in the adapter."]
    use_rslora: Annotated[bool, "Scale by alpha / sqrt(r) instead of alpha / r."]
    target_modules: Annotated[tuple[str, ...], MinLen(1), "Projections that get an adapter."]
    max_samples: Annotated[Count | None, "Rows used at most (none: all)."]
    val_split: Annotated[PartShare, "Share of the corpus kept for validation."]
    max_steps: Annotated[Count | None, "Optimizer steps; stands before num_epochs (none: by epochs)."]
    num_epochs: Annotated[Positive, "Passes over the corpus when max_steps is none."]
    batch_size: Annotated[Count, "Rows in a batch."]
    rows_per_schema: Annotated[Count, "Rows of an optimizer step that share a schema, and its prefix."]
    shared_prefixes: Annotated[
        bool, "Compute a schema once for the rows that share it; false: each row by itself, slower."
    ]
    adam_beta2: Annotated[PartShare, "How slowly Adam forgets the size of gradients."]
    use_selective_loss: Annotated[bool, "Leave grammar out of the loss as selective_loss says."]
    selective_loss: Annotated[
        Literal["none", "conservative", "moderate", "aggressive"],
        "What is left out: punctuation; names too; all but values.",
    ]
    semantic_patterns: Annotated[
        tuple[str, ...], "Regular expressions for spans that always count under use_selective_loss."
    ]
    eval_steps: Annotated[Count, "Steps between evaluations on the validation rows."]
    eval_max_samples: Annotated[Count | None, "Validation rows used at most (none: all)."]
    eval_accumulation_steps: Annotated[Count, "Evaluation batches kept on the device at one time."]
    generation_eval_steps: Annotated[Count | None, "Steps between greedy answers on validation rows (none: never)."]
    generation_eval_samples: Annotated[Count, "Validation rows answered each time."]
    generation_eval_max_new_tokens: Annotated[Count, "Longest of those answers (tokens)."]
    metric_for_best: Annotated[Text, "Metric that picks the kept checkpoint and stops early."]
    early_stop_min_delta: Annotated[NotNegative, "Least improvement that counts."]
    early_stop_patience: Annotated[Count | None, "Evaluations without improvement before stopping (none: never)."]
    seed: Annotated[Whole, "Seed of initialisation, order and dropout."]


@dataclass(frozen=True, kw_only=True)
class Evaluation(Section):
    """Stage 07: answers of the student, then verdicts."""

    adapter: Annotated[Text, "Adapter to evaluate; `none` is the base model alone."]
    student: Annotated[
        str | None,
        "Model to evaluate in the adapter's place, `ollama:NAME` (none: the adapter); name an --out-dir for it.",
    ]
    student_hosts: Annotated[tuple[str, ...], "Ollama servers of that model (none named: as teacher.hosts)."]
    dataset: Annotated[Text, "Rows to answer."]
    splits: Annotated[tuple[SplitName, ...], MinLen(1), "Splits to evaluate; the first gives the summary's figures."]
    teacher: Annotated[Literal["ollama", "embedded", "none"], "Judge of the answers; with none its rates are null."]
    teacher_model: Annotated[str | None, "Model id of the judge (none: the teacher's)."]
    out_dir: Annotated[Text, "Results of the SFT adapter."]
    base_out_dir: Annotated[Text, "Results of the base model."]
    dpo_out_dir: Annotated[Text, "Results of the aligned adapter."]
    control_out_dir: Annotated[Text, "Results of the SFT-only control."]
    align_out_dir: Annotated[Text, "Results on the align split, which pairs are built from."]
    constrained: Annotated[bool, "Decode under the schema's grammar too, reported beside free decoding."]
    include_invalid: Annotated[bool, "Answer repair prompts too, reported apart."]
    baselines: Annotated[bool, "Evaluate nearest neighbour and copying beside the student."]
    max_samples: Annotated[Count | None, "Rows of each split at most (none: all)."]
    max_schemas: Annotated[
        Count | None, "Schemas of each split at most (none: all); few with many rows each are answered faster."
    ]
    new_names_share: Annotated[
        Share, "Share of those schemas whose names occur in no training row, where max_schemas leaves some out."
    ]
    max_new_tokens: Annotated[Count, "Longest answer (tokens)."]
    temperature: Annotated[NotNegative, "0 is greedy."]
    top_p: Annotated[Positive, Le(1), "Nucleus of sampling."]
    beams: Annotated[
        Count,
        Le(64),
        "Beginnings of each answer that are kept side by side, the likeliest answer counts (1: greedy or sampled).",
    ]
    batch_size: Annotated[Count, "Beginnings of answers decoded together: so many requests, divided by beams."]
    blank_images: Annotated[bool, "Put white paper in the place of each image: what the words alone give (vision)."]
    shared_prefixes: Annotated[
        bool, "Compute a schema once for its requests; false: transformers' generate, one by one."
    ]
    seed: Annotated[Whole, "Seed of sampling and of the choice of rows."]


@dataclass(frozen=True, kw_only=True)
class Alignment(Learning):
    """Stages 09 and 10: pairs, then DPO from the SFT adapter."""

    eval_results: Annotated[Text, "Evaluation that pairs are built from; its rows are of the align split."]
    more_eval_results: Annotated[
        tuple[Text, ...], "Further evaluations of the align split, as of answers sampled at a temperature."
    ]
    pairs_out: Annotated[Text, "Pairs: written by 09, read by 10."]
    only_rejected: Annotated[bool, "Pairs from answers that the teacher rejected only."]
    same_shape: Annotated[
        bool, "Only pairs of ASTs that differ in names and values alone, their connectives and parts being equal."
    ]
    max_requests: Annotated[
        Count | None, "Requests of the align split that the runner has answered at most (none: all)."
    ]
    max_pairs: Annotated[Count | None, "Pairs at most (none: all)."]
    val_split: Annotated[
        PartShare,
        "Share of the pairs' requests that are not trained on: there it is measured whether the right answer is preferred.",
    ]
    adapter: Annotated[Text, "SFT adapter: the start, and the reference."]
    output_dir: Annotated[Text, "Folder of the run."]
    control: Annotated[bool, "Train the SFT-only control too: same rows, same steps, chosen as completion."]
    control_output_dir: Annotated[Text, "Folder of the control's run."]
    batch_size: Annotated[Count, "Pairs in a batch."]
    rows_per_schema: Annotated[Count, "Pairs of an optimizer step that share a schema, and its prefix."]
    shared_prefixes: Annotated[
        bool, "Compute a schema once for the pairs that share it; false: each answer by itself, slower."
    ]
    max_steps: Annotated[Count, "Optimizer steps."]
    beta: Annotated[Positive, "Strength of the pull towards the reference."]
    loss_type: Annotated[Literal["sigmoid", "hinge", "ipo"], "Preference loss, by TRL's name."]
    sft_coef: Annotated[NotNegative, "Weight of the SFT loss on the chosen answer."]
    seed: Annotated[Whole, "Seed of the order."]


@dataclass(frozen=True, kw_only=True)
class Report(Section):
    """Stage 08: plots and pages."""

    training_metrics: Annotated[Text, "Metrics of the SFT run."]
    eval_summary: Annotated[Text, "Summary of the SFT adapter's evaluation."]
    eval_results: Annotated[Text, "Results of the SFT adapter's evaluation."]
    out_dir: Annotated[Text, "Folder of the report."]
    html: Annotated[bool, "Write HTML beside the Markdown."]


@dataclass(frozen=True, kw_only=True)
class Quality(Section):
    """The gate before the corpus."""

    near_duplicate_similarity: Annotated[Share, "Least likeness (Jaccard of word 3-grams) of near-duplicates."]
    require_pass: Annotated[bool, "Nothing is made of, or trained on, data that did not pass the gate."]


@dataclass(frozen=True, kw_only=True)
class Config(Section):
    """A whole resolved configuration."""

    run: Run
    dataset_generation: DatasetGeneration
    prompt: Prompt
    teacher: Teacher
    training: Training
    evaluation: Evaluation
    alignment: Alignment
    report: Report
    quality: Quality


SECTIONS: dict[str, type[Section]] = Config.annotations()
