"""`vaemon agent`: the far end of `vaemon watch HOST:RUN`, started there by ssh."""

import click


@click.command(hidden=True)
def agent() -> None:
    """Answer a vaemon at the other end of standard input and output. Started by ssh, of no use by hand."""
    from vaemon.agent import main

    main()
