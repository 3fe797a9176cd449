"""A forward hook that belongs to one module alone, and sees the passes of its training."""

from collections.abc import Callable
from typing import Any, Self


class TrainingHook:
    """Is called after each forward pass that a module makes in training mode, with gradients.

    A copy of the module, in memory or in a file, has a hook that does nothing: what is watched is the one that is
    trained, not its best state so far, its moving average, or what is loaded again.
    """

    def __init__(self, module: Any = None, called: Callable[[Any], None] | None = None) -> None:
        """Hook the module, so that `called` is handed its outputs; without one do nothing."""
        self._handle = self._called = None
        if module is None or called is None:
            return
        import torch

        self._torch, self._module = torch, module
        # A compiler would trace what is called into the graph of the model, and what it gathers with it.
        self._called = torch.compiler.disable(called)
        self._handle = module.register_forward_hook(self)

    def __call__(self, module: Any, args: Any, output: Any) -> None:
        """As torch calls it; the output is left as it is."""
        # Activation checkpoints make a pass twice: once without gradients.
        if self._called is not None and module.training and self._torch.is_grad_enabled() and self._is_first(module):
            self._called(output)

    def _is_first(self, module: Any) -> bool:
        # DataParallel hands each device's part of a batch to a replica, in a thread of its own.
        if not getattr(module, "_is_replica", False):
            return True
        home = next((each.device.index for each in self._module.parameters()), None)
        return bool(self._torch.cuda.current_device() == (home or 0))

    def __deepcopy__(self, memo: Any) -> Self:
        return type(self)()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return type(self), ()

    def remove(self) -> None:
        """Take it away."""
        if self._handle is not None:
            self._handle.remove()
        self._handle = self._called = None
