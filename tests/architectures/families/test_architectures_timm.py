"""timm's models: against timm itself, scheme by scheme; sizes, weights, refusals. Nothing is downloaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from architectures import get_card, list_architectures, parse_scheme, resolve
from architectures.building import build_network, resolve_sites, sites
from architectures.families.timm import catalogue
from architectures.families.timm.frozen import OnFrozenFeatures
from architectures.families.timm.network import fit_model
from architectures.norms.layers import ChannelsLast
from bench.core.errors import InputError, UnknownName, Unsupported
from bench.core.problem import Problem
from bench.core.registry import natural

GREY = Problem("image", (1, 8, 8))
COLOUR = Problem("image", (3, 32, 32))
KINDS = ["test_resnet", "test_convnext", "test_vit", "test_efficientnet", "mixer_s16_224"]
SMALL = KINDS[:4]
NORMS = (nn.LayerNorm, nn.GroupNorm, nn.BatchNorm2d, nn.RMSNorm)


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def network(spelling: str, norm: str, problem: Problem = COLOUR, seed: int = 0) -> nn.Module:
    return build_network(resolve(f"timm/{spelling}"), parse_scheme(norm), problem, seed)


def original(model: str, **options: object) -> nn.Module:
    try:
        return timm.create_model(model, num_classes=1, img_size=32, **options)
    except TypeError:
        return timm.create_model(model, num_classes=1, **options)


def images(problem: Problem = COLOUR, count: int = 3) -> Tensor:
    return torch.randn(count, *problem.shape, generator=torch.Generator().manual_seed(1))


def norm_paths(module: nn.Module) -> list[str]:
    return [path for path, layer in module.named_modules() if isinstance(layer, NORMS)]


@pytest.mark.parametrize("model", KINDS)
def test_its_own_norms_everywhere_is_timms_model(model: str) -> None:
    ours, theirs = network(model, "own@all"), original(model)
    theirs.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours.eval()(images()), theirs.eval()(images()), rtol=0, atol=0)


@pytest.mark.parametrize("model", KINDS)
def test_sites_are_its_norm_layers_in_forward_order(model: str) -> None:
    theirs, met = original(model).eval(), []
    for path in norm_paths(theirs):
        theirs.get_submodule(path).register_forward_hook(lambda *_, path=path: met.append(path))
    theirs(images())
    found = [site.name for site in sites(resolve(f"timm/{model}"), COLOUR)]
    assert found == met
    assert resolve_sites(resolve(f"timm/{model}"), parse_scheme("layer@first+last+2"), COLOUR) == (
        met[0],
        met[1],
        met[-1],
    )


@pytest.mark.parametrize("model", SMALL)
def test_none_takes_every_norm_out_and_leaves_the_rest(model: str) -> None:
    bare, full = network(model, "none"), network(model, "own@all")
    assert norm_paths(bare) == []
    norms = norm_paths(full)
    for path in norms:  # take them out by hand: an activation that is part of the layer stays
        layer = full.get_submodule(path)
        full.set_submodule(path, getattr(layer, "act", nn.Identity()))
    torch.testing.assert_close(bare.eval()(images()), full.eval()(images()), rtol=0, atol=0)


@pytest.mark.parametrize("model", SMALL)
@pytest.mark.parametrize(("place", "index"), [("first", 0), ("last", -1), ("3", 2)])
def test_one_norm_of_another_kind(model: str, place: str, index: int) -> None:
    net = network(model, f"layer@{place}")
    paths = norm_paths(original(model))
    found = [path for path in norm_paths(net) if isinstance(net.get_submodule(path), nn.LayerNorm)]
    assert len(found) == 1
    assert found[0].startswith(sites(resolve(f"timm/{model}"), COLOUR)[index].name)
    assert len(paths) == len(sites(resolve(f"timm/{model}"), COLOUR))


@pytest.mark.parametrize("model", SMALL)
def test_schemes_share_every_weight_but_the_norms(model: str) -> None:
    full, bare, other = (dict(network(model, norm).named_parameters()) for norm in ("own@all", "none", "rms@all"))
    assert set(bare) < set(full)
    for name, parameter in bare.items():
        torch.testing.assert_close(parameter, full[name], rtol=0, atol=0)
        torch.testing.assert_close(parameter, other[name], rtol=0, atol=0)
    seed = dict(network(model, "none", seed=1).named_parameters())
    assert any(not torch.equal(parameter, seed[name]) for name, parameter in bare.items())


def test_another_kind_takes_over_gains_and_shifts() -> None:
    """ResNets start with zero gains at the end of each residual branch; so does the layer that replaces them."""
    own, layer = network("resnet18", "own@all"), network("resnet18", "layer@all")
    assert torch.all(own.get_submodule("layer1.0.bn2").weight == 0)
    turned = layer.get_submodule("layer1.0.bn2")
    assert isinstance(turned, ChannelsLast)
    assert torch.all(turned.layer.weight == 0)


def test_residuals_survive_where_a_norm_is_taken_out() -> None:
    """Before an activation that works in place, a norm shields the residual; taking it out must not expose it."""

    class Copy(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.clone()

    net = network("resnetv2_18", "none").eval()
    answer = net(images())
    for path, layer in list(net.named_modules()):
        if type(layer) is nn.Identity:
            net.set_submodule(path, Copy())
    torch.testing.assert_close(net(images()), answer, rtol=0, atol=0)


@pytest.mark.parametrize("model", SMALL)
@pytest.mark.parametrize("norm", ["none", "own@all", "layer@first"])
def test_it_trains_and_answers_in_float64(model: str, norm: str) -> None:
    net = network(model, norm, GREY).train()
    assert net(images(GREY)).shape == (3, 1)
    net(images(GREY)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    assert net.double().eval()(images(GREY).double()).dtype == torch.float64


def test_small_images_are_enlarged() -> None:
    net = network("test_vit", "own@all", GREY).eval()
    theirs = timm.create_model("test_vit", in_chans=1, num_classes=1, img_size=32).eval()
    assert isinstance(net, nn.Sequential)
    theirs.load_state_dict(net[1].state_dict())
    larger = nn.functional.interpolate(images(GREY), (32, 32), mode="bilinear")
    torch.testing.assert_close(net(images(GREY)), theirs(larger), rtol=0, atol=0)
    assert fit_model("test_vit", (3, 48, 64), None).size == (48, 64)
    assert fit_model("crossvit_tiny_240", (3, 32, 32), None).size == (240, 240)  # made for that size alone
    assert network("test_resnet(size=40)", "none").eval()(images()).shape == (3, 1)


def test_a_build_depends_on_its_seed_alone() -> None:
    fit_model.__globals__["_try"].cache_clear()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    cold = network("test_vit", "own@all").state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(6)
    warm = network("test_vit", "own@all").state_dict()
    assert all(torch.equal(cold[name], warm[name]) for name in cold)


def test_what_cannot_be_done_is_said() -> None:
    with pytest.raises(Unsupported, match=r"test_efficientnet_evos.*cannot be taken out: EvoNorm2dS0 at"):
        network("test_efficientnet_evos", "none")
    with pytest.raises(Unsupported, match=r"test_vit cannot be made for images of 3 x 32 x 32 .*tried 7 x 7"):
        network("test_vit(size=7)", "none")
    with pytest.raises(Unsupported, match="this network has no place for a norm"):
        network("test_nfnet", "layer@all")
    assert network("test_nfnet", "none")(images()).shape == (3, 1)
    with pytest.raises(Unsupported, match="reads image inputs"):
        network("test_vit", "none", Problem("features", (3,)))
    with pytest.raises(UnknownName, match="did you mean 'timm/test_resnet'"):
        resolve("timm/test_resnett")
    with pytest.raises(UnknownName):
        resolve("timm/resnet18.no_such_weights")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("size=0", "between 1 and 4096"),
        ("weights=model.bin", "only safetensors"),
        ("random_features=true", "goes with frozen=true"),
        ("head='tree(depth=2)'", "unknown head"),
        ("head='mlp(widht=2)'", "did you mean 'width'"),
        ("head='mlp(width=0)'", "at least 1"),
    ],
)
def test_senseless_options_are_refused(options: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        resolve(f"timm/test_vit({options})")


def test_one_meaning_has_one_spelling() -> None:
    frozen = resolve("timm/test_vit(frozen=true, head='mlp(depth=2,width=16)')").name
    assert frozen == 'timm/test_vit(frozen=true, head="mlp(width=16)", random_features=true)'
    assert resolve(frozen).name == frozen
    assert resolve("timm/test_vit(pretrained=true, frozen=true)").name == "timm/test_vit(pretrained=true, frozen=true)"


def test_a_frozen_backbone_stays_as_it_is() -> None:
    net = network("test_resnet(frozen=true, head='mlp(width=16)')", "layer@first", GREY)
    assert isinstance(net, OnFrozenFeatures)
    assert {name.split(".")[0] for name, p in net.named_parameters() if p.requires_grad} == {"head"}
    before, digest = net.eval()(images(GREY)), net.digest()
    net.train()(images(GREY))  # batch norm would take up the batch's statistics
    torch.testing.assert_close(net.eval()(images(GREY)), before)
    assert net.digest() == digest
    assert network("test_resnet(frozen=true, head='mlp(width=32)')", "none", GREY).digest() == digest
    assert network("test_resnet(frozen=true)", "none", GREY, seed=1).digest() != digest
    torch.testing.assert_close(net(images(GREY)), net.head(net.frozen_features(images(GREY))))
    architecture = resolve("timm/test_resnet(frozen=true, head='mlp(width=16, depth=3)')")
    assert [site.name for site in sites(architecture, GREY)] == ["hidden1", "hidden2", "hidden3"]
    assert resolve_sites(architecture, parse_scheme("layer@last"), GREY) == ("hidden3",)


def test_a_trained_backbone_with_an_mlp_has_the_sites_of_both() -> None:
    architecture = resolve("timm/test_vit(head='mlp(width=16)')")
    names = [site.name for site in sites(architecture, COLOUR)]
    assert names[0] == "blocks.0.norm1"
    assert names[-2:] == ["hidden1", "hidden2"]
    net = network("test_vit(head='mlp(width=16)')", "own@first+layer@last", COLOUR)
    assert all(p.requires_grad for p in net.parameters())


def test_pretrained_without_weights_fails_and_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        InputError, match=r"not on this machine.*hf download timm/test_resnet\S* model.safetensors.*weights="
    ):
        network("test_resnet(pretrained=true)", "own@all")


@pytest.mark.parametrize("model", ["test_resnet", "test_vit"])
def test_weights_from_a_file_are_all_used(model: str, tmp_path: Path) -> None:
    torch.manual_seed(3)
    source = timm.create_model(model)  # three channels, 1000 outputs, its own size
    path = tmp_path / "model.safetensors"
    save_file(source.state_dict(), path)
    weights = dict(source.named_parameters())
    net = network(f"{model}(weights={path})", "own@all", COLOUR)
    same = [name for name, p in net.named_parameters() if name in weights and torch.equal(p, weights[name])]
    assert len(same) >= len(weights) - 3  # all but the classifier and resampled positions
    bare = dict(network(f"{model}(weights={path})", "none", COLOUR).named_parameters())
    assert set(bare) <= {*same, *dict(net.named_parameters())}
    grey = network(f"{model}(weights={path}, frozen=true)", "none", GREY)
    assert grey(images(GREY)).shape == (3, 1)
    assert "random_features" not in resolve(f"timm/{model}(weights={path}, frozen=true)").name


def test_weights_that_do_not_fit_are_never_replaced_by_random_ones(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({"nothing": torch.zeros(2)}, path)
    with pytest.raises(InputError, match=r"the weights do not fit: .* are not in the file"):
        network(f"test_resnet(weights={path})", "own@all")
    state = timm.create_model("test_resnet").state_dict()
    half = {name: tensor for i, (name, tensor) in enumerate(state.items()) if i % 2}
    save_file(half, path)
    with pytest.raises(InputError, match="the weights do not fit"):
        network(f"test_resnet(weights={path})", "own@all")
    path.write_bytes(b"\x80\x04 not tensors at all")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        network(f"test_resnet(weights={path})", "own@all")


def test_the_file_of_weights_is_part_of_the_source_hash(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    hashes = []
    for value in (0.0, 1.0):
        save_file({"a": torch.full((2,), value), "b": torch.zeros(1 + int(value))}, path)
        hashes.append(resolve(f"timm/test_resnet(weights={path})").source_hash)
    assert hashes[0] != hashes[1]
    with pytest.raises(InputError, match="cannot be read: No such file"):
        _ = resolve(f"timm/test_resnet(weights={tmp_path}/missing.safetensors)").source_hash


def test_listing_is_lazy_and_filtered() -> None:
    code = (
        "import sys, architectures as a; plain = a.list_architectures(); loaded = {'timm', 'torch'} & set(sys.modules);"
        "found = a.list_architectures('timm/*resnet18*');"
        "sys.exit(bool(loaded) or any(n.startswith('timm/') for n in plain) or 'timm/resnet18' not in found)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert all("resnet" in name for name in list_architectures("timm/*resnet*"))


def test_the_list_of_models_is_that_of_the_timm_installed() -> None:
    """``python -m tools.timm_catalogue`` writes it anew."""
    shipped = catalogue.shipped()
    assert shipped is not None, "the list is of another version of timm"
    assert dict(shipped) == catalogue.asked()
    assert list_architectures("timm/*") == sorted((f"timm/{name}" for name in timm.list_models()), key=natural)


def test_names_and_cards_need_no_timm() -> None:
    """Lists are read from the file; only what it does not know is asked of timm."""
    code = """
import sys
import architectures
names = architectures.list_architectures("timm/*resnet*")
cards = [architectures.get_card(name) for name in names]
assert len(cards) > 50, len(cards)
assert architectures.get_card("timm/resnet18").version == "1, weights a1_in1k"
assert architectures.get_card("timm/resnet18.a2_in1k").version == "1, weights a2_in1k"
assert not {"timm", "torch"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_list_of_another_timm_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue.importlib.metadata, "version", lambda name: "0.0.1")
    assert catalogue.shipped.__wrapped__() is None


def test_models_that_timm_knows_by_older_names_are_known() -> None:
    assert get_card("timm/convnext_tiny_in22ft1k").family == "timm"
    with pytest.raises(UnknownName, match="resnet18"):
        get_card("timm/resnet18.no_such_weights")


def test_timm_is_imported_without_what_writes_logs_and_leaves_it_to_others() -> None:
    script = (
        "import sys; from architectures.families.timm.loading import load_timm; timm = load_timm();"
        "print('wandb' in sys.modules, timm.__name__); import wandb; print(wandb.__name__, load_timm() is timm)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False timm\nwandb True\n"
