"""Hugging Face Accelerate: a tracker, known to it as "vaemon" once this module is imported."""

from collections.abc import Mapping
from typing import Any

from accelerate import tracking
from accelerate.tracking import GeneralTracker, on_main_process

from vaemon.adapters.encoder import Extract
from vaemon.adapters.ledger import Ledger, numbers


class VaemonTracker(GeneralTracker):
    """Records what `Accelerator.log` is told as a run: a row a step, with the statistics of the encoder.

    Several logs of one step are one row, and a log of every tenth step has the means of the ten. Only the main process
    records.

    Example:
        accelerator = Accelerator(log_with="vaemon")
        accelerator.init_trackers("run42", config, init_kwargs={"vaemon": {"encoder": vae.encoder}})

    Before Accelerate 1.15: Accelerator(log_with=VaemonTracker("run42", encoder=vae.encoder)).
    """

    name = "vaemon"
    requires_logging_directory = False
    main_process_only = True

    def __init__(
        self,
        run: str | None = None,
        *,
        encoder: Any = None,
        extract: Extract | None = None,
        latent_dim: int = 1,
        resume: bool = False,
        **options: Any,
    ) -> None:
        """Nothing is recorded before something is logged.

        Args:
            run: the run's name, which is the project's if the tracker is made by its name; None:
                accelerate-YYYYMMDD-HHMMSS.
            encoder: the module whose output has the posteriors; or see `watch`.
            extract: as in `watch_encoder`.
            latent_dim: as in `watch_encoder`.
            resume: go on with the run: the steps that are logged go on, too.
            **options: runs, live, thresholds, config, total_steps, steps_per_epoch, as of `vaemon.Recorder`.
        """
        super().__init__()
        self._ledger = Ledger(run, "accelerate", resume, options)
        self._config: dict[str, Any] = {}
        self._step = 0
        self._has_ended = False
        self._encoder = (encoder, extract, latent_dim)

    @property
    def tracker(self) -> Any:
        """The `vaemon.Recorder`; None before the first log."""
        return self._ledger.recorder

    @on_main_process
    def start(self) -> None:
        """Hook the encoder; only now does Accelerate know which process is the main one."""
        if self._encoder[0] is not None:
            self._ledger.watch(*self._encoder)

    @on_main_process
    def watch(self, encoder: Any, *, extract: Extract | None = None, latent_dim: int = 1) -> None:
        """Have each row carry the statistics of an encoder; see `watch_encoder`."""
        self._ledger.watch(encoder, extract, latent_dim)

    @on_main_process
    def store_init_configuration(self, values: dict[str, Any]) -> None:
        """What the run is to be remembered by."""
        self._config = dict(values)

    @on_main_process
    def log(self, values: Mapping[str, Any], step: int | None = None, **kwargs: Any) -> None:
        """Add to the row of a step, by default the one after the newest."""
        if self._ledger.recorder is None and not self._has_ended:
            self._ledger.begin(0, self._config)
        self._step = self._step + 1 if step is None else int(step)
        self._ledger.row(self._step, numbers(values))

    @on_main_process
    def finish(self) -> None:
        """End the run as finished."""
        self._has_ended = True
        self._ledger.end()


if hasattr(tracking, "register_tracker_class"):  # since Accelerate 1.15; before, log_with= takes a tracker alone
    tracking.register_tracker_class(VaemonTracker)
