"""The options by which a run is waited for and alerted of, and the sentry that they make."""

import functools
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from vaemon.errors import UsageError

if TYPE_CHECKING:
    from vaemon.commands.sentry import Sentry

OPTIONS = (
    click.option(
        "--until",
        metavar="CONDITION",
        help="Leave once it holds: finished, 'active>=32', 'mse<0.01 and step>=1000'. Exit code 0; 4 where the run was "
        "over, or left, before.",
    ),
    click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Give up after so long: exit code 4."),
    click.option(
        "--alert",
        multiple=True,
        metavar="RULE",
        help="Tell once each time this becomes true: a condition, or wake, sleep, stall, nan, collapse, ignored, "
        "crashed, finished, checkpoint … May be given more than once.",
    ),
    click.option("--bell", is_flag=True, help="Alerts ring the terminal's bell."),
    click.option("--notify", is_flag=True, help="Alerts ask the terminal for a notification on the desktop."),
    click.option(
        "--run-on-alert",
        metavar="COMMAND",
        help="Alerts start this, without a shell; $VAEMON_RUN, _RULE, _TEXT and _STEP tell it of what.",
    ),
    click.option("--webhook", metavar="URL", help="Alerts are posted there as JSON."),
    click.option("--exit-on-alert", is_flag=True, help="Leave at the first alert, with exit code 4."),
)
_NAMES = ("until", "timeout", "alert", "bell", "notify", "run_on_alert", "webhook", "exit_on_alert")


def alerting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options; it is called with the `sentry` that they make in their place, None without any."""

    @functools.wraps(command)
    def called(**given: Any) -> Any:
        asked = {name: given.pop(name) for name in _NAMES}
        # A sentry takes as long to load as all of the screen.
        return command(sentry=make_sentry(**asked) if any(map(_given, asked.values())) else None, **given)

    wrapped: Callable[..., Any] = called
    for option in reversed(OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _given(value: object) -> bool:
    # An empty word was given, too; it is for the sentry to complain of it.
    return value is not None and value is not False and value != ()


def make_sentry(
    *,
    until: str | None = None,
    timeout: float | None = None,
    alert: tuple[str, ...] = (),
    bell: bool = False,
    notify: bool = False,
    run_on_alert: str | None = None,
    webhook: str | None = None,
    exit_on_alert: bool = False,
) -> "Sentry":
    """The sentry that does what the options say. Raises UsageError."""
    from vaemon.commands import hooks
    from vaemon.commands.sentry import Sentry
    from vaemon.view.alerts import parse_rule
    from vaemon.view.conditions import parse_condition

    asked = {
        "--bell": bell,
        "--notify": notify,
        "--run-on-alert": run_on_alert is not None,
        "--webhook": webhook is not None,
        "--exit-on-alert": exit_on_alert,
    }
    idle = [option for option, given in asked.items() if given]
    if idle and not alert:
        raise UsageError(f"{idle[0]} does nothing without an alert; add one, as --alert nan or --alert 'mse<0.01'")
    if timeout is not None and until is None and not exit_on_alert:
        raise UsageError(
            "--timeout needs something to wait for; add --until CONDITION, or --alert with --exit-on-alert"
        )
    condition = parse_condition(until, "--until") if until is not None else None
    rules = [parse_rule(each) for each in alert]
    told: dict[str, hooks.Hook] = {}
    if run_on_alert is not None:
        told["--run-on-alert"] = hooks.CommandHook(run_on_alert)
    if webhook is not None:
        told["--webhook"] = hooks.webhook(webhook)
    return Sentry(
        until=condition,
        timeout=timeout,
        rules=rules,
        ends_on_alert=exit_on_alert,
        bell=bell,
        notify=notify and os.environ.get("TERM") != "dumb",
        hooks=hooks.Hooks(told),
    )


def complain(troubles: Iterable[str]) -> None:
    """Say what failed in the telling of alerts."""
    from vaemon.view.signs import safe

    for trouble in troubles:
        click.echo(f"vaemon: {safe(trouble)}", err=True)
