"""`crosswind completion`: completion for a shell."""

from __future__ import annotations

import click

from crosswind.cli.teaching import Teaching


@click.command(
    cls=Teaching,
    examples=[
        ("For the bash that is open", 'eval "$(crosswind completion bash)"'),
        ("For every zsh", "crosswind completion zsh >> ~/.zshrc"),
        ("For fish", "crosswind completion fish > ~/.config/fish/completions/crosswind.fish"),
    ],
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Write the script that lets a shell complete commands, options, event types and chains."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None, "click knows the shells of the choice above"
    root = ctx.find_root().command
    click.echo(made(root, {}, "crosswind", "_CROSSWIND_COMPLETE").source())
