"""NumPy's universal functions as rnp offers them: calls with all keywords, and the methods.

A plain call goes straight to the builtin of `rnp._core`. `out=`, `where=`, `dtype=`, `casting=` and
`signature=` are worked out here, by NumPy's own rules (`numpy.ufunc.resolve_dtypes`), and stay in
the graph; outside of blocks NumPy answers them. `reduce` and `accumulate` are reductions and scans;
`outer` broadcasts; `at` and `reduceat` are opaque nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy
from rnp import _core, _dispatch, _special
from rnp._core import Array, Unsupported
from rnp._out import dtype_of, store

# The reductions that are a ufunc's `reduce`.
_FOLDS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_and": "all",
    "logical_or": "any",
}
# Ufuncs of several results, and the functions that give them.
_OPTIONS = frozenset({"out", "where", "casting", "order", "dtype", "subok", "signature", "sig"})


class _Type(type):
    """The type of `ufunc`: NumPy's own ufuncs are of it, too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, numpy.ufunc) or super().__instancecheck__(instance)


class ufunc(_core._Entry, metaclass=_Type):
    """A universal function: `numpy.ufunc`'s calls, methods and attributes, recorded in lazy blocks.

    Called with operands and NumPy's keywords `out`, `where`, `dtype`, `casting`, `order`, `subok`
    and `signature`. Outside of a block it computes at once and returns what NumPy returns. Errors
    are NumPy's.
    """

    __slots__ = ("__dict__", "_core", "_numpy", "_plain", "_values")

    def __new__(cls, original: numpy.ufunc, core: Callable[..., Any] | None) -> Self:
        name = original.__name__
        builtin: Any = getattr(_core, name, None)
        values = _special.CALLS.get(original, original)
        if core is not None and builtin is core:
            # By the builtin's own name: that of `radians` is `deg2rad`.
            reals = original if values is not original else None
            return super().__new__(cls, builtin.__name__, values, True, None, reals)
        # Several results, of several builtins; or NumPy's alone.
        return super().__new__(cls, None, values if core is None else core, core is None)

    def __init__(self, original: numpy.ufunc, core: Callable[..., Any] | None) -> None:
        self._numpy = original
        self._values = _special.CALLS.get(original, original)
        self._core = core
        self._plain = original.nin if core is not None else -1
        self.__name__ = self.__qualname__ = original.__name__
        scan = getattr(_core, f"_accumulate_{original.__name__}", None)
        if scan is not None:
            # A builtin of its own, in the place of the method: no Python before it.
            self.__dict__["accumulate"] = scan
        self.__module__ = "rnp"
        text = core.__doc__ if core is not None else None
        self.__doc__ = text or f"`numpy.{original.__name__}`, element by element."

    def _answer(self, *args: Any, **keywords: Any) -> Any:
        if not keywords and len(args) == self._plain:
            try:
                return self._core(*args)  # type: ignore[misc]
            except Unsupported:
                pass
        return _call(self, args, keywords)

    @property
    def kind(self) -> str:
        """What answers a call: a kernel, or NumPy when the graph is evaluated."""
        return "opaque" if self._core is None else "native"

    def __repr__(self) -> str:
        return f"<ufunc 'rnp.{self.__name__}'>"

    def __reduce__(self) -> str:
        return self.__name__

    def __getattr__(self, name: str) -> Any:
        # nin, nout, nargs, ntypes, types, identity, signature, resolve_dtypes
        return getattr(self._numpy, name)

    def reduce(self, array: Any, /, *args: Any, **keywords: Any) -> Any:
        """Reduce along axes: `numpy.ufunc.reduce`. By default along the first."""
        return _reduce(self, array, *args, **keywords)

    def accumulate(self, array: Any, /, *args: Any, **keywords: Any) -> Any:
        """Give all partial results along an axis: `numpy.ufunc.accumulate`."""
        return _method(self, "accumulate", (array, *args), keywords)

    def reduceat(self, array: Any, /, *args: Any, **keywords: Any) -> Any:
        """Reduce over slices of an axis: `numpy.ufunc.reduceat`."""
        return _method(self, "reduceat", (array, *args), keywords)

    def outer(self, a: Any, b: Any, /, **keywords: Any) -> Any:
        """Apply to every pair of elements: `numpy.ufunc.outer`."""
        if not _dispatch.recording((a, b), keywords):
            return _dispatch.fallback(self._numpy.outer, (a, b), keywords)
        if self.nin != 2 or self.nout != 1:
            raise ValueError("outer product only supported for binary functions")
        a, b = _core.asarray(a), _core.asarray(b)
        return self(a[(..., *(None,) * b.ndim)], b, **keywords)

    def at(self, a: Any, indices: Any, b: Any = None, /) -> None:
        """Apply in place at indices, unbuffered: `numpy.ufunc.at`."""
        operands = () if b is None else (b,)
        if not isinstance(a, Array):
            known = _dispatch.replace((indices, *operands), lambda x: x.__array__())
            self._numpy.at(a, *known)
            return

        _dispatch.update(a, self._numpy.at, (indices, *operands), f"{self.__name__}.at")


def _call(function: ufunc, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    numpy_function = function._values
    said = "out" in keywords or len(args) > function.nin
    out = keywords.pop("out", None)
    if len(args) > function.nin:
        if out is not None:
            raise TypeError("cannot specify 'out' as both a positional and keyword argument")
        args, out = args[: function.nin], args[function.nin :]
    outs: tuple[Any, ...] = out if isinstance(out, tuple) else (out,)
    outs += (None,) * (function.nout - len(outs))
    lazy = _dispatch.recording(args, keywords) or any(isinstance(x, Array) for x in outs)
    if not lazy:
        if out is not None:
            keywords["out"] = outs if function.nout > 1 and len(outs) == function.nout else out
        return _dispatch.fallback(numpy_function, args, keywords)
    if len(args) != function.nin or len(outs) > function.nout:
        return _dispatch.at_once(numpy_function, args, keywords | {"out": outs})  # raises
    if not keywords.keys() <= _OPTIONS:
        # The axes of a generalized ufunc, or a mistake, which raises.
        result = _dispatch.at_once(numpy_function, args, keywords)
        return result if outs[0] is None else store(function.__name__, outs[0], result)
    casting = keywords.get("casting", "same_kind")
    where = keywords.get("where", True)
    if _answers(where):
        # NumPy asks the mask, after our arrays, which stand back.
        return numpy_function(*args, **keywords, **({} if out is None else {"out": out}))
    if where is not True and not said:
        _dispatch.warn(
            "'where' used without 'out', expect unitialized memory in output. "
            "If this is intended, use out=None.",
            UserWarning,
        )
    results = _results(function, args, keywords)
    if where is not True:
        olds = [_zeros_like(r) if o is None else o for r, o in zip(results, outs, strict=True)]
        results = tuple(
            _choose(where, r, old, out, casting)
            for r, old, out in zip(results, olds, outs, strict=True)
        )
    given = tuple(
        r if o is None else store(function.__name__, o, r, casting)
        for r, o in zip(results, outs, strict=True)
    )
    return given[0] if function.nout == 1 else given


def _zeros_like(x: Any) -> Any:
    # NumPy leaves these elements as they came from the allocator.
    return _core.zeros(x.shape, dtype=x.dtype)


def _choose(where: Any, new: Any, old: Any, out: Any, casting: Any) -> Any:
    if isinstance(old, numpy.ndarray):
        old = old.astype(old.dtype.newbyteorder("="), copy=False)
    # Elements that are not chosen must not pass through the dtype of the computation.
    if out is not None and numpy.can_cast(dtype_of(new), old.dtype, casting):
        new = _core.astype(new, old.dtype)
    return _core.where(where, new, old)


def _results(function: ufunc, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
    """Compute without `out` and `where`, in the loop that `dtype` or `signature` ask for."""
    core, plain = function._core, function._numpy
    asked = {k: v for k, v in keywords.items() if k in ("dtype", "signature", "sig")}
    casting = keywords.get("casting", "same_kind")
    types = _loop(plain, args, asked, casting)
    if core is not None and types is not None:
        try:
            if asked:
                args = tuple(
                    _core.astype(_core.asarray(x), t) for x, t in zip(args, types, strict=False)
                )
            result = core(*args)
            results = result if isinstance(result, tuple) else (result,)
            # A loop of NumPy's that no row has, such as `add` of bool as int64, is cast to.
            return tuple(
                r if r.dtype == t else _core.astype(r, t)
                for r, t in zip(results, types[function.nin :], strict=True)
            )
        except Unsupported:
            pass
    rest = {k: v for k, v in keywords.items() if k != "where"}
    values = function._values
    if types is None or function.signature is not None or function.nout > 1:
        result = _dispatch.fallback(values, args, rest)
        return result if isinstance(result, tuple) else (result,)
    known = all(_dispatch.supported(t) for t in (*map(dtype_of, args), types[-1]))
    if not known or any(_dispatch.is_special(x) for x in args):
        return (_dispatch.at_once(values, args, rest),)
    shape = numpy.broadcast_shapes(*(numpy.shape(x) for x in args))
    return (_dispatch.opaque(values, args, rest, (shape, types[-1])),)


def _loop(
    function: numpy.ufunc, args: tuple[Any, ...], asked: dict[str, Any], casting: str
) -> tuple[Any, ...] | None:
    """Ask NumPy for the dtypes of operands and results; errors are NumPy's."""
    types = tuple(map(_type_of, args)) + (None,) * function.nout
    if any(t is object for t in types):
        return None
    if "dtype" in asked and asked["dtype"] is not None:
        signature: Any = (None,) * function.nin + (numpy.dtype(asked["dtype"]),) * function.nout
    else:
        signature = asked.get("signature", asked.get("sig"))
    chosen = {} if signature is None else {"signature": signature}
    return tuple(
        function.resolve_dtypes(types, casting=casting, **chosen)  # type: ignore[arg-type]
    )


def _type_of(x: Any) -> Any:
    """Give the dtype of an operand, or the type of a number that has none, be it traced."""
    if type(x) in (int, float, complex):
        return type(x)
    return (_core._number(x) if isinstance(x, Array) else None) or dtype_of(x)


def _reduce(
    function: ufunc,
    array: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = numpy._NoValue,
    where: Any = True,
) -> Any:
    keywords: dict[str, Any] = {"axis": axis, "dtype": dtype, "keepdims": keepdims}
    if initial is not numpy._NoValue:
        keywords["initial"] = initial
    if where is not True:
        keywords["where"] = where
    if where is not True and "initial" not in keywords and function.identity is None:
        raise ValueError(
            f"reduction operation '{function.__name__}' does not have an identity, so to use a "
            "where mask one has to specify 'initial'"
        )
    name = _FOLDS.get(function.__name__)
    plain = initial is numpy._NoValue and where is True
    result = Unsupported
    if name is not None and plain and (dtype is None or name in ("sum", "prod")):
        options = {k: v for k, v in keywords.items() if k != "dtype" or v is not None}
        try:
            result = getattr(_core, name)(array, **options)
        except Unsupported:
            result = Unsupported
    if result is Unsupported:
        result = _method(function, "reduce", (array,), keywords)
    if out is None:
        return result
    return store(function.__name__, out[0] if isinstance(out, tuple) else out, result, "unsafe")


def accumulate(name: str, array: Any, axis: Any, dtype: Any, out: Any) -> Any:
    """`accumulate` where the kernel of the ufunc does not answer at once: with `out`, say."""
    function = named(name)
    if isinstance(out, tuple) and len(out) == 1:
        out = out[0]
    lazy = _dispatch.recording((array,), {}) or isinstance(out, Array)
    if out is None or axis is None or not lazy:
        keywords = {"axis": axis, "dtype": dtype} | ({} if out is None else {"out": out})
        return _method(function, "accumulate", (array,), keywords)
    # Without a dtype the steps are those of the array that they are written to.
    steps = dtype_of(out) if dtype is None else dtype
    result = function.accumulate(array, axis, steps)
    return store(name, out, result, "unsafe")


def _method(function: ufunc, method: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Run a method as an opaque node whose result NumPy's rules foretell."""
    bound = getattr(function._numpy, method)
    out = keywords.pop("out", None)
    array = args[0]
    if not _dispatch.recording(args, keywords) and not isinstance(out, Array):
        if out is not None:
            keywords["out"] = out
        return _dispatch.fallback(bound, args, keywords)

    def run(*values: Any, **options: Any) -> Any:
        return bound(*values, **options)

    run.__name__ = f"{function.__name__}.{method}"
    shape = _method_shape(method, array, args[1:], keywords)
    plain = _dispatch.supported(dtype_of(array)) and not any(map(_dispatch.is_special, args))
    if shape is None or not plain:
        result = _dispatch.at_once(run, args, keywords)
    else:
        few = numpy.ones((1,) * max(numpy.ndim(array), 1), dtype_of(array))
        dtype = bound(
            few, *([[0]] if method == "reduceat" else []), dtype=keywords.get("dtype")
        ).dtype
        if _dispatch.supported(dtype):
            result = _dispatch.opaque(run, args, keywords, (shape, dtype))
        else:
            result = _dispatch.at_once(run, args, keywords)
    if out is None:
        return result
    return store(function.__name__, out[0] if isinstance(out, tuple) else out, result, "unsafe")


def _method_shape(
    method: str, array: Any, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[int, ...] | None:
    shape: tuple[int, ...] = numpy.shape(array)
    if method == "accumulate":
        return shape
    axis = keywords.get("axis", 0)
    if method == "reduce":
        axes = (
            range(len(shape))
            if axis is None or (not shape and axis in (0, -1))
            else numpy.lib.array_utils.normalize_axis_tuple(axis, len(shape))
        )
        keep = keywords.get("keepdims", False)
        return tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
    if method == "reduceat" and args:
        axis = numpy.lib.array_utils.normalize_axis_index(axis, len(shape))
        return (*shape[:axis], numpy.size(args[0]), *shape[axis + 1 :])
    return None


def array_ufunc(
    function: numpy.ufunc, method: str, inputs: tuple[Any, ...], keywords: dict[str, Any]
) -> Any:
    """`__array_ufunc__`: a ufunc of anybody's, called on a deferred array."""
    if any(map(_answers, (*inputs, *_as_tuple(keywords.get("out")), keywords.get("where")))):
        return NotImplemented
    ours = FUNCTIONS.get(function)
    if ours is None:  # SciPy's, or a user's
        ours = ufunc(function, None)
    if method == "__call__":
        return _call(ours, inputs, dict(keywords))
    return getattr(ours, method)(*inputs, **keywords)


def _answers(x: Any) -> bool:
    """Whether an argument is of a class that answers calls of ufuncs itself."""
    own = getattr(type(x), "__array_ufunc__", None)
    answers = own not in (None, numpy.ndarray.__array_ufunc__, Array.__array_ufunc__)
    return answers and not isinstance(x, (Array, numpy.generic))


def _as_tuple(x: Any) -> tuple[Any, ...]:
    return x if isinstance(x, tuple) else () if x is None else (x,)


def _frexp(x: Any) -> Any:
    return _core.frexp_mantissa(x), _core.frexp_exponent(x)


def _modf(x: Any) -> Any:
    return _core.modf_fraction(x), _core.modf_whole(x)


def _make() -> dict[numpy.ufunc, ufunc]:
    made: dict[numpy.ufunc, ufunc] = {}
    several: dict[str, Callable[..., Any]] = {
        "frexp": _frexp,
        "divmod": _core._divmod,
        "modf": _modf,
    }
    for original in vars(numpy).values():
        if isinstance(original, numpy.ufunc) and original not in made:
            core = several.get(original.__name__) or getattr(_core, original.__name__, None)
            made[original] = ufunc(original, core)
    return made


def named(name: str) -> ufunc:
    """Give the ufunc that NumPy has under a name."""
    return FUNCTIONS[getattr(numpy, name)]


# Every ufunc of NumPy's main namespace.
FUNCTIONS = _make()
_dispatch.register_ufuncs(FUNCTIONS)
