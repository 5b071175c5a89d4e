"""`astudent export`: the student leaves the house, and is proved to be the same."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from astudent.cli import with_exit_code


def export(
    adapter: Annotated[Path, typer.Option(help="Folder of the adapter, such as checkpoint-final.")],
    out_dir: Annotated[
        Path | None, typer.Option(help="Folder of the export; none: beside the adapter, its name with -export.")
    ] = None,
    ollama_name: Annotated[str | None, typer.Option(help="Create a model of this name on the Ollama server.")] = None,
    quantize: Annotated[Literal["f16", "q8_0"], typer.Option(help="Precision of what Ollama serves.")] = "f16",
    verify: Annotated[
        bool, typer.Option("--verify", help="Prove on held-out prompts that all answer as the adapter does.")
    ] = False,
    base_model: Annotated[
        str | None, typer.Option(help="The base in full precision; none: the one that the adapter names.")
    ] = None,
    num_ctx: Annotated[
        int | None, typer.Option(min=512, help="Context of the served model in tokens; none: its own, at most 32768.")
    ] = None,
    prompts: Annotated[int, typer.Option(min=1, help="Prompts to verify with.")] = 300,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the proof there; none: verify.json in the folder.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Configuration of the run: data set and length of answers (none: the defaults), and the prompt where no record beside the adapter holds it."
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Write everything again.")] = False,
) -> None:
    """Merge an adapter into its base and write what others run: safetensors, GGUF, an Ollama model.

    The same export that stands there already is kept. With --verify: exit 1 where one of them answers otherwise.
    """

    def action() -> None:
        from astudent.commands.export_output import write_proof
        from astudent.config import DEFAULTS, load_config
        from astudent.errors import UsageError
        from astudent.export.origin import origin_of
        from astudent.export.package import PROOF, Package
        from astudent.export.verify import Verification, folder_of
        from astudent.export.write import Wish, create, export

        settings = load_config(config or DEFAULTS)
        origin = origin_of(adapter, base_model, settings if config else None)
        out = folder_of(out_dir, adapter)
        if json_file is not None and json_file.resolve().is_relative_to(out.resolve()):
            hint = f"Leave --json out: the proof is {PROOF} in that folder."
            raise UsageError(f"--json {json_file}: it lies in the folder of the export, which holds nothing else", hint)
        record = export(Wish(origin, out, quantize, num_ctx, fresh, keeps_changed=verify))
        server = create(Package(out), record, ollama_name) if ollama_name else None
        if verify:
            proof = Verification(Package(out), record, origin, settings, server, prompts).run()
            write_proof(proof, json_file or out / PROOF)

    with_exit_code(action)
