"""What a shell may complete, and `vaemon completion`: the script by which it does."""

import os
from collections.abc import Sequence
from pathlib import PurePath

import click
from click.shell_completion import CompletionItem, get_completion_class

from vaemon.errors import UsageError

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_VAEMON_COMPLETE"
"""Set where a shell asks what to complete."""


@click.command()
@click.argument("shell", required=False, type=click.Choice(SHELLS))
def completion(shell: str | None) -> None:
    """Print the script by which SHELL completes commands, options, paths, presets and names of runs.

    By default that of $SHELL. For this session: eval "$(vaemon completion bash)"; in fish: vaemon completion fish |
    source. For all to come, write it to where the shell looks for such:

    bash: ~/.local/share/bash-completion/completions/vaemon

    zsh: ~/.zfunc/_vaemon, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc

    fish: ~/.config/fish/completions/vaemon.fish
    """
    named = shell or PurePath(os.environ.get("SHELL", "")).name
    if named not in SHELLS:
        raise UsageError(f"which shell? $SHELL is {named or 'not set'}; say one of {', '.join(SHELLS)}")
    script = get_completion_class(named)
    assert script is not None
    # Of what is completed only the names stand in the script.
    click.echo(script(click.Command("vaemon"), {}, "vaemon", VARIABLE).source())


def complete_run(context: click.Context, parameter: click.Parameter, incomplete: str) -> Sequence[str | CompletionItem]:
    """The runs whose names begin so, the newest first; of a path, folders."""
    from vaemon.runfile.find import is_path
    from vaemon.runfile.selection import names_like

    if is_path(incomplete):
        return [CompletionItem(incomplete, type="dir")]
    return names_like(incomplete, context.params.get("runs"))


def complete_paths(command: click.Command) -> None:
    """Have the options of a command that stand for a path completed as one, which their metavar tells."""
    for option in command.params:
        if isinstance(option, click.Option) and option.metavar in ("DIR", "PATH", "FILE"):
            option.type = click.Path(file_okay=option.metavar != "DIR")
