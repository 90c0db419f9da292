"""`assay completion`: the shell's completion script."""

import rich_click as click
from click.shell_completion import get_completion_class

from assessments.errors import UsageError


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL: add `eval "$(assay completion bash)"` to your shell's start-up file."""
    completion = get_completion_class(shell)
    if completion is None:
        raise UsageError(f"there is no completion for {shell}")
    click.echo(completion(context.find_root().command, {}, "assay", "_ASSAY_COMPLETE").source())
