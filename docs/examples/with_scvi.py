"""An scVI model of single-cell counts, recorded: `python docs/examples/with_scvi.py`."""

import scvi

from vaemon.adapters.scvi import VaemonCallback

if __name__ == "__main__":
    scvi.settings.seed = 0
    cells = scvi.data.synthetic_iid()  # 400 cells of two batches, 100 genes
    scvi.model.SCVI.setup_anndata(cells, batch_key="batch")
    model = scvi.model.SCVI(cells, n_latent=8)
    model.train(
        max_epochs=10,
        accelerator="cpu",
        batch_size=64,
        check_val_every_n_epoch=1,
        enable_progress_bar=False,
        logger=False,
        callbacks=[VaemonCallback("with-scvi", config={"n_latent": 8})],
    )
