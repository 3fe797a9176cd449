"""What a shell may complete: the names of runs."""

import click
from click.shell_completion import CompletionItem


def complete_run(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The runs whose names begin so, the newest first."""
    from vaemon.runfile.selection import names_like

    return names_like(incomplete, context.params.get("runs"))


def complete_folder(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Folders, which the shell itself completes."""
    return [CompletionItem(incomplete, type="dir")]
