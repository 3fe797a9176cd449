"""scvi-tools: Lightning trains its models, so this is Lightning's callback, with scvi-tools' own names for things."""

from typing import Any

import scvi  # noqa: F401  # chooses the root of Lightning

from vaemon.adapters import lightning


class VaemonCallback(lightning.VaemonCallback):
    """Records a `model.train` of scvi-tools as a run, with the weight of KL that its warm-up has reached.

    Example:
        model = scvi.model.SCVI(adata)
        model.train(callbacks=[VaemonCallback("run42")])
    """

    library = "scvi-tools"

    def __init__(self, run: str | None = None, *, encoder: Any = "module.z_encoder", **options: Any) -> None:
        """Nothing is recorded before the training begins.

        Args:
            run: the run's name; None: scvi-tools-YYYYMMDD-HHMMSS.
            encoder: the module whose output has the posteriors, or its name in the training plan.
            **options: as of `vaemon.adapters.lightning.VaemonCallback`.
        """
        super().__init__(run, encoder=encoder, **options)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Gather the weight of KL, too."""
        weight = getattr(pl_module, "kl_weight", None)
        if weight is not None:
            self._ledger.gather({"kl_weight": weight})
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
