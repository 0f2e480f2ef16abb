"""Load a model beside the trained one under DeepSpeed ZeRO-3."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def whole_weights() -> Iterator[None]:
    """Let `from_pretrained` load whole weights, also while transformers has a DeepSpeed configuration active.

    Under ZeRO-3, transformers partitions the weights of every model that it loads, and only a model that goes through
    `deepspeed.initialize` gathers them again for its forward: a judge or an encoder does not. Without an active
    configuration this does nothing, and it never imports transformers.

    Example:
        >>> with whole_weights():
        ...     pass  # model = AutoModel.from_pretrained(...)
    """
    integration = sys.modules.get("transformers.integrations.deepspeed")  # not imported: nothing is active
    reference = getattr(integration, "_hf_deepspeed_config_weak_ref", None)
    active = None if reference is None else reference()
    if integration is None or active is None:
        yield
        return
    integration.unset_hf_deepspeed_config()
    try:
        yield
    finally:
        integration.set_hf_deepspeed_config(active)
