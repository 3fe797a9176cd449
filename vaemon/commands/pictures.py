"""Whether the terminal draws true pictures. It is not asked: Textual takes an answer that it does not know for keys.

A terminal counts that draws pictures where their placeholders are: Ghostty, and Kitty from 0.28 on, which tells its
version only to who starts it anew: hence not over a network. WezTerm and Konsole know Kitty's protocol otherwise, but
would write the placeholders themselves.
"""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence

CHOICES = ("auto", "kitty", "blocks")
HELP = "Samples as pictures by Kitty's protocol, or as blocks; auto: the former in Kitty and Ghostty."
KITTY, GHOSTTY = "kitty", "ghostty"
"""Terminals that draw pictures, as $TERM names them after "xterm-"."""
SINCE = (0, 28)
"""The version from which Kitty does."""
PATIENCE = 1.0
"""Seconds that a program may take to answer."""
KITTY_SAYS = ("kitty", "--version")
TMUX_SAYS = ("tmux", "display-message", "-p", "#{allow-passthrough} #{client_termname}")
"""Whether it hands on to the terminal what it does not know itself, and which terminal that is."""


def ask(words: Sequence[str]) -> str:
    """What a program answers; nothing where it is not there, or not quick."""
    try:
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def draws_pictures(choice: str, environ: Mapping[str, str], ask: Callable[[Sequence[str]], str] = ask) -> bool:
    """Whether pictures are sent to the terminal.

    Args:
        choice: one of `CHOICES`.
        environ: the environment.
        ask: starts a program, and gives what it answers.
    """
    if choice != "auto":
        return choice == KITTY
    terminal = _terminal(environ, ask)
    # Elsewhere than here, another Kitty may be installed, or none.
    return terminal == GHOSTTY or (terminal == KITTY and "SSH_CONNECTION" not in environ and _is_new(ask(KITTY_SAYS)))


def _terminal(environ: Mapping[str, str], ask: Callable[[Sequence[str]], str]) -> str:
    """The name of the terminal; "" where it is not one of those that draw pictures."""
    named, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if "TMUX" in environ:
        passes, _, named = ask(TMUX_SAYS).partition(" ")
        named = named if passes in ("1", "on", "all") else ""  # 1: of tmux 3.3
    elif "STY" in environ or "ZELLIJ" in environ:
        named = ""  # drawn within another terminal, whose names are inherited
    elif program == GHOSTTY:
        named = program
    elif environ.get("KITTY_WINDOW_ID") and not program:
        named = KITTY  # what was started from a Kitty inherits this, too: mostly it then has a name of its own
    return named.removeprefix("xterm-")


def _is_new(version: str) -> bool:
    told = re.match(r"kitty (\d+)\.(\d+)", version)
    return told is not None and (int(told[1]), int(told[2])) >= SINCE
