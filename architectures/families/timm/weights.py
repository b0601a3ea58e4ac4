"""Published weights of timm's models, found on this machine and checked once they are in the network."""

from __future__ import annotations

import torch
from torch import nn

from architectures.families.timm.loading import load_timm
from architectures.families.timm.options import TimmOptions
from bench.core.errors import InputError


def locate(model: str, options: TimmOptions) -> str:
    """The safetensors file with the weights that ``options`` ask for.

    Nothing is downloaded: a sweep must not depend on a network, nor hang on the lack of one.

    Raises:
        InputError: the file is no safetensors file, or the model's published weights are not in the Hugging Face cache.
    """
    if options.weights is not None:
        _check_file(options.weights)
        return options.weights
    timm = load_timm()
    from huggingface_hub import try_to_load_from_cache

    config = timm.get_pretrained_cfg(model)
    if config is None:
        raise InputError(f"timm publishes no weights of {model}", hint="give weights=FILE.safetensors")
    name, repository = config.hf_hub_filename or "model.safetensors", config.hf_hub_id
    if repository == "timm/":  # timm's own, by the name of the model and its weights
        repository = f"timm/{config.architecture}.{config.tag}"
    if not repository or not name.endswith(".safetensors"):
        raise InputError(f"timm publishes no safetensors weights of {model}", hint="give weights=FILE.safetensors")
    found = try_to_load_from_cache(repository, name)
    if not isinstance(found, str):
        raise InputError(
            f"the pretrained weights of timm/{model} are not on this machine",
            hint=f"run `hf download {repository} {name}` where there is a network, or give weights=FILE.safetensors",
        )
    return found


def _check_file(path: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            if not list(file.keys()):
                raise InputError("the file holds no tensors", where=f"weights={path}", hint="give a model's weights")
    except (OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read as safetensors: {reason}", where=f"weights={path}", hint="give a safetensors file"
        ) from None


def check_loaded(loaded: nn.Module, random: nn.Module, classifier: tuple[str, ...], path: str) -> None:
    """Check that every drawn parameter of ``loaded`` but the classifier's came from the file.

    timm leaves what a file lacks at its random start. ``random`` is the same model from the same draw without the
    file, so a drawn parameter that is equal in both was not in it. Constants (gains, shifts) say nothing.

    Raises:
        InputError: some were not; the first is named.
    """
    fresh = dict(random.named_parameters())
    missing = [
        name
        for name, parameter in loaded.named_parameters()
        if not name.startswith(classifier) and _drawn(fresh[name]) and torch.equal(parameter, fresh[name])
    ]
    if missing:
        raise InputError(
            f"the weights do not fit: {len(missing)} parameters, {missing[0]} the first, are not in the file",
            where=path,
            hint="give the weights of this very model",
        )


def _drawn(parameter: torch.Tensor) -> bool:
    return parameter.numel() > 1 and bool((parameter != parameter.flatten()[0]).any())
