"""Where a network normalizes, by whatever means: read from the operations of its graph, never from names of classes.

A normalization divides values by something made from a reduction (a sum, mean, norm, variance, largest value) of the
same values: ``x / ‖x‖``, ``(x - mean) / √(var + eps)``, ``x · rsqrt(mean(x²))``. Torch has operations of its own for
the usual ones. Recognised are these, and divisions of that kind however they are written. None are:

- a division by constants or parameters (inputs scaled by stored statistics);
- shares: exponentials or probabilities divided by their own sum (a softmax, gates of experts);
- products with gates (squeeze and excitation), and normalized weights (weight norm, spectral norm), which the input
  does not reach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from architectures.analysis.graph import Graph, Operation, Ref, refs_in


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


WHOLE = _names(
    """layer_norm native_layer_norm rms_norm _fused_rms_norm group_norm native_group_norm batch_norm
    native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_functional
    _native_batch_norm_legit_no_training instance_norm cudnn_batch_norm _batch_norm_with_update
    _batch_norm_with_update_functional _batch_norm_no_update _batch_norm_impl_index cosine_similarity renorm
    _transformer_encoder_layer_fwd"""
)
"""Operations that are a normalization by themselves."""

_REDUCTIONS = _names(
    """sum mean var std var_mean std_mean linalg_vector_norm linalg_norm linalg_matrix_norm norm frobenius_norm amax
    amin max min aminmax median nanmedian quantile prod logsumexp avg_pool1d avg_pool2d avg_pool3d
    adaptive_avg_pool1d _adaptive_avg_pool2d adaptive_avg_pool2d adaptive_avg_pool3d max_pool1d max_pool2d
    max_pool3d norm_except_dim nansum"""
)
_PRODUCTS = _names("einsum matmul bmm mm dot vdot inner baddbmm linalg_vecdot")
_LIKE_SOFTMAX = _names("exp exp2 softmax _softmax _safe_softmax sigmoid topk sort gather")
_ELEMENTWISE = _names(
    """add sub rsub mul div divide true_divide multiply subtract pow square sqrt rsqrt reciprocal abs neg negative
    sign clamp clamp_min clamp_max clip maximum minimum fmax fmin hypot where masked_fill exp expm1 log log1p log2
    log10 exp2 expand expand_as view reshape _unsafe_view flatten unflatten transpose permute t movedim swapaxes
    unsqueeze squeeze contiguous clone detach alias to _to_copy type_as float double slice select narrow getitem
    cat stack repeat tile broadcast_to view_as reshape_as chunk split split_with_sizes unbind lift_fresh_copy roll
    flip relu leaky_relu addcmul addcdiv nan_to_num softplus copy index slice_scatter select_scatter mul_ add_
    div_ sub_ numpy_T mT mH adjoint diag diag_embed diagonal pad constant_pad_nd tril triu squeeze_ unsqueeze_
    clamp_ clamp_min_ sqrt_ rsqrt_ pow_ copy_"""
)
_DIVISIONS = frozenset(["div", "divide", "true_divide", "div_"])
_MULTIPLICATIONS = frozenset(["mul", "multiply", "mul_"])
_INVERSES = frozenset(["rsqrt", "reciprocal"])


@dataclass(frozen=True)
class Normalization:
    """A place where a network normalizes.

    Args:
        what: the operation in words.
        path: of the module that does it; empty for the network's own forward.
        type: that module's class.
        size: of the last dimension of its result.
    """

    what: str
    path: str
    type: str
    size: int


def normalizations(graph: Graph, placed: Collection[str] = ()) -> tuple[Normalization, ...]:
    """Where the network of ``graph`` normalizes, once a module, in the order of its operations.

    Args:
        graph: of evaluation or of training.
        placed: paths of modules that are left out, with all they hold: layers that a scheme has placed.
    """
    reader = _Reader(graph)
    found: dict[str, Normalization] = {}
    for operation in graph.operations:
        what = reader.words(operation) if operation.carries else None
        if what is not None and not any(path in placed for path, _ in operation.modules):
            path, of = operation.place
            size = operation.shape[-1] if operation.shape else None
            found.setdefault(path, Normalization(what, path, of.rpartition(".")[2], size or 1))
    return tuple(found.values())


class _Reader:
    """Follows values back to where they come from."""

    def __init__(self, graph: Graph) -> None:
        self._made = {operation.name: operation for operation in graph.operations}

    def words(self, operation: Operation) -> str | None:
        """What normalization ``operation`` is; None for none."""
        base = operation.base
        if base in WHOLE:
            return base.strip("_")
        pairs = list(self._quotients(operation))
        return "a division by a reduction of the same values" if any(self._normal(n, d) for n, d in pairs) else None

    def _quotients(self, operation: Operation) -> Iterator[tuple[Ref, Ref]]:
        """Numerator and what it is divided by, where ``operation`` divides or multiplies by an inverse."""
        refs = [a for a in operation.arguments if isinstance(a, Ref)]
        if operation.base in _DIVISIONS and len(refs) >= 2:
            yield refs[0], refs[1]
        elif operation.base == "addcdiv" and len(refs) >= 3:
            yield refs[1], refs[2]
        elif operation.base in _MULTIPLICATIONS and len(refs) >= 2:
            for numerator, factor in ((refs[0], refs[1]), (refs[1], refs[0])):
                for inverse in self._inverses(factor):
                    yield numerator, inverse
        elif operation.base in _PRODUCTS:  # a product with a diagonal or a column of inverses
            for factor in refs_in(operation.arguments):
                others = [ref for ref in refs_in(operation.arguments) if ref != factor]
                for inverse in self._inverses(factor):
                    yield from ((other, inverse) for other in others)

    def _normal(self, numerator: Ref, denominator: Ref) -> bool:
        """Whether the denominator is made from a reduction of the values of the numerator."""
        reduced = set()
        for reduction in self._reductions(denominator):
            if not self._shares(reduction, numerator):
                reduced |= self._roots(*reduction.inputs)
        return bool(reduced & self._roots(numerator))

    def _inverses(self, factor: Ref) -> Iterator[Ref]:
        """What ``factor`` is an inverse of."""
        for operation in self._behind(factor):
            refs = operation.inputs
            if refs and (operation.base in _INVERSES or self._negative_power(operation)):
                yield refs[0]
            elif operation.base in _DIVISIONS and len(refs) >= 2 and not self._carries(refs[0]):
                yield refs[1]
            elif operation.base == "exp" and any(one.base.startswith("log") for one in self._behind(*refs)):
                yield refs[0]

    def _negative_power(self, operation: Operation) -> bool:
        power = operation.arguments[1] if operation.base == "pow" and len(operation.arguments) > 1 else 1
        return isinstance(power, (int, float)) and power < 0

    def _reductions(self, value: Ref) -> Iterator[Operation]:
        for operation in self._behind(value, through_reductions=True):
            if operation.carries and (operation.base in _REDUCTIONS or self._squares(operation)):
                yield operation

    def _squares(self, operation: Operation) -> bool:
        """A product of values with themselves sums their squares."""
        roots = [self._roots(ref) for ref in operation.inputs if self._carries(ref)]
        return operation.base in _PRODUCTS and len(roots) >= 2 and bool(set.intersection(*roots))

    def _shares(self, reduction: Operation, numerator: Ref) -> bool:
        """Whether positive weights are divided by their sum: a softmax, the gates of a mixture."""
        if reduction.base not in ("sum", "logsumexp", "amax", "max"):
            return False
        weights = [one.base for one in self._behind(numerator, only_shapes=True)]
        return any(base in _LIKE_SOFTMAX for base in weights)

    def _carries(self, ref: Ref) -> bool:
        made = self._made.get(ref.name)
        return made is None or made.carries

    def _behind(self, *values: Ref, through_reductions: bool = False, only_shapes: bool = False) -> Iterator[Operation]:
        """The operations behind ``values``, through elementwise ones and changes of shape, nearest first."""
        waiting, seen = list(values), set()
        while waiting:
            operation = self._made.get(waiting.pop(0).name)
            if operation is None or operation.name in seen:
                continue
            seen.add(operation.name)
            yield operation
            through = operation.base in _ELEMENTWISE and not (only_shapes and operation.base in _CHANGES_NUMBERS)
            if through or (through_reductions and (operation.base in _REDUCTIONS or self._squares(operation))):
                waiting += operation.inputs

    def _roots(self, *values: Ref) -> set[str]:
        """Names of the values that ``values`` are made of by elementwise operations and reductions."""
        roots, waiting, seen = set(), list(values), set()
        while waiting:
            ref = waiting.pop()
            if ref.name in seen:
                continue
            seen.add(ref.name)
            operation = self._made.get(ref.name)
            if operation is not None and not operation.carries:
                continue
            if operation is not None and (operation.base in _ELEMENTWISE or operation.base in _REDUCTIONS):
                waiting += operation.inputs
            else:
                roots.add(ref.name)
        return roots


_CHANGES_NUMBERS = _ELEMENTWISE - _names(
    """expand expand_as view reshape _unsafe_view flatten unflatten transpose permute t movedim swapaxes unsqueeze
    squeeze contiguous clone detach alias to _to_copy type_as float double slice select narrow getitem view_as
    reshape_as add sub clamp_min clamp mul"""
)
