"""From a call of a NumPy function to what answers it: a kernel of ours, a graph, or NumPy.

Every public function of rnp that NumPy has too is a `Function` made here. In a lazy block it asks,
in this order: its implementation (builtins of `rnp._core`, or a composition of them), a rule that
says what NumPy's result will look like (then the call becomes an opaque node of the graph), and
NumPy at once, on values. Outside of a block it is the builtin, if there is one, or NumPy's own.
`numpy.f(x)` of a deferred `x` comes the same way, through `__array_function__`.

May not know: what any single function does.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, Self

import numpy
from numpy.exceptions import AxisError
from rnp import _core
from rnp._core import Array, Unsupported, is_lazy
from rnp._out import store_whole

# What a rule says of a result: its shape and its dtype.
Meta = tuple[tuple[int, ...], Any]
Rule = Callable[..., Meta | None]

_FUNCTIONS: dict[Any, Any] = {}
_RULES: dict[Any, Rule] = {}
_LATER: dict[str, Callable[[], None]] = {}


def find(path: str) -> Any:
    """NumPy's object at a dotted path such as `fft.rfft`."""
    return functools.reduce(getattr, path.split("."), numpy)


def exists(path: str) -> bool:
    """Whether this NumPy has the object; the oldest ones have fewer than the newest."""
    try:
        find(path)
    except AttributeError:
        return False
    return True


def known(target: Any) -> Any:
    """Give our function for one of NumPy's, or NumPy's own."""
    return _FUNCTIONS.get(target, target)


# What computes nothing is NumPy's outside of blocks, views of the caller's memory included.
_MOVES = frozenset(
    [
        "asarray",
        "broadcast_to",
        "concatenate",
        "expand_dims",
        "full",
        "full_like",
        "matrix_transpose",
        "ones",
        "ones_like",
        "permute_dims",
        "ravel",
        "squeeze",
        "take",
        "take_along_axis",
        "transpose",
        "zeros",
        "zeros_like",
    ]
)


def _outside(
    path: str,
    implementation: Callable[..., Any] | None,
    kind: str,
    eager: bool | Callable[..., Any],
) -> Callable[..., Any] | None:
    """Find what answers outside of blocks: a builtin, if there is one.

    Compositions step aside but for `eager` ones; `eager` may also be what answers instead of one.
    """
    if path in _MOVES:
        return None
    if callable(eager):
        return eager
    if kind == "native" or eager:
        return implementation
    return getattr(_core, path, None) if path in _core.__all__ else None


# Functions whose plain calls in blocks are the builtin's.
_RECORDERS = {name: getattr(_core, name) for name in ("asarray", "arange", "linspace", "reshape")}


class Function(_core._Entry):
    """A function of NumPy as rnp offers it; calls are answered as the module says."""

    __slots__ = ("__dict__", "_eager", "_implementation", "_numpy", "_outs", "kind")

    def __new__(
        cls,
        path: str,
        implementation: Callable[..., Any] | None,
        kind: str,
        *,
        eager: bool | Callable[..., Any] = False,
    ) -> Self:
        outside = _outside(path, implementation, kind, eager)
        recorder = _RECORDERS.get(path, implementation if kind == "native" else None)
        return super().__new__(cls, None, outside or find(path), outside is None, recorder)

    def __init__(
        self,
        path: str,
        implementation: Callable[..., Any] | None,
        kind: str,
        *,
        eager: bool | Callable[..., Any] = False,
    ) -> None:
        self._numpy = find(path)
        self._implementation = implementation
        self._eager = _outside(path, implementation, kind, eager)
        self.kind = kind
        self._outs: int | None = None
        functools.update_wrapper(self, implementation or self._numpy, updated=())
        owner, _, name = path.rpartition(".")
        self.__name__ = self.__qualname__ = name
        self.__module__ = f"rnp.{owner}" if owner else "rnp"
        _FUNCTIONS[self._numpy] = self

    @property
    def __signature__(self) -> inspect.Signature:
        try:
            return inspect.signature(self._numpy)
        except ValueError:
            return inspect.signature(self._implementation or self._numpy)

    def __repr__(self) -> str:
        return f"<function rnp.{self.__name__}>"

    def __reduce__(self) -> str:
        return self.__name__

    def __get__(self, instance: object, owner: object = None) -> Any:
        # A function that a class stores is a method, as NumPy's are.
        return self if instance is None else functools.partial(self, instance)

    def _answer(self, *args: Any, **keywords: Any) -> Any:
        if "out" in keywords or len(args) > 2:
            out = self._take_out(args, keywords)
            if out is not None:
                return self._into(out, args, keywords)
        lazy = recording(args, keywords)
        implementation = self._implementation if lazy else self._eager
        if implementation is None:
            return fallback(self._numpy, args, keywords)
        try:
            return implementation(*args, **keywords)
        except Unsupported:
            pass
        except _core.TraceError:
            raise
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            # Keywords that only NumPy knows, or a mistake of which NumPy's own error tells best.
            # In a block the mistake is ours to tell: NumPy would need the values.
            if lazy and _takes(implementation, args, keywords):
                if not _is_ours(error) or re.search(rf"\b{self.__name__}\b", str(error)):
                    raise
                # Of several that it called, or of none, it is the one that the user knows.
                raise _named(error, self.__name__).with_traceback(error.__traceback__) from None
        return fallback(self._numpy, args, keywords)

    def _take_out(self, args: tuple[Any, ...], keywords: Any) -> Any:
        """Find what a call gives for `out`; None if nothing, or where `out` is something else."""
        if self._outs is None:
            self._outs = _place_of_out(self._numpy)
        if self._outs < 0:
            return None
        if "out" in keywords:
            return keywords["out"] if keywords["out"] is not None else keywords.pop("out")
        return args[self._outs] if len(args) > self._outs else None

    def _into(self, out: Any, args: tuple[Any, ...], keywords: Any) -> Any:
        """Answer a call with `out=`: the result is computed as without, and stored."""
        if not recording(args, keywords) and next(arrays_in(out), None) is None:
            return fallback(self._numpy, args, keywords)
        rest = {name: value for name, value in keywords.items() if name != "out"}
        at = self._outs if self._outs is not None else 0
        args = (*args[:at], *((None,) if len(args) > at else ()), *args[at + 1 :])
        target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
        if self.__name__ in _RESULTS_AS_OUT and len(args) < 3 and rest.get("dtype") is None:
            rest["dtype"] = getattr(target, "dtype", None)
        result = self(*args, **rest)
        if isinstance(target, (Array, numpy.ndarray)) and target.shape != numpy.shape(result):
            self._try_out(target, args, rest)
        return store_whole(self.__name__, target, result)

    def _try_out(self, target: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        """Let NumPy say whether it would write a result of another shape into `out`."""
        if target.ndim == 0 or target.dtype == object:
            # Of some such NumPy writes where there is nothing.
            raise ValueError(f"{self.__name__}: out has the shape {target.shape}, not the result's")
        out = numpy.empty(target.shape, target.dtype)
        args, keywords = replace((args, keywords), _like)
        at = len(args) if self._outs is None else self._outs
        with warnings.catch_warnings(), numpy.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            if len(args) > at:
                self._numpy(*args[:at], out, *args[at + 1 :], **keywords)
            else:
                self._numpy(*args, **keywords, out=out)


def _like(array: Array) -> Any:
    """Give an array of NumPy's of the same shape and dtype that takes no memory."""
    return numpy.broadcast_to(numpy.ones((), array.dtype), array.shape)


# These compute in the dtype of `out` if nobody asks for another.
_RESULTS_AS_OUT = frozenset({"sum", "prod", "cumsum", "cumprod", "nansum", "nanprod", "trace"})


def _place_of_out(function: Callable[..., Any]) -> int:
    """Find the place of `out` among the arguments: beyond all of them if it goes by name alone.

    -1 where there is none.
    """
    try:
        known = inspect.signature(function).parameters
    except ValueError:
        return 1 << 16
    if "out" not in known:
        return -1
    place = list(known).index("out")
    return 1 << 16 if known["out"].kind is inspect.Parameter.KEYWORD_ONLY else place


def _is_ours(error: Exception) -> bool:
    """Tell whether this package or NumPy raised an error, and not a function of a user's."""
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__"))
        if name.partition(".")[0] not in {__package__, "numpy"}:
            return False
        trace = trace.tb_next
    return True


def _named(error: Exception, name: str) -> Exception:
    """Put a function's name before an error's text."""
    if isinstance(error, AxisError):  # makes its text of what it knows
        if error.axis is None or error.ndim is None:
            return AxisError(f"{name}: {error}")
        return AxisError(error.axis, error.ndim, name)
    error.args = (f"{name}: {error}",)
    return error


def _takes(function: Callable[..., Any], args: Any, keywords: Any) -> bool:
    try:
        inspect.signature(function).bind(*args, **keywords)
    except TypeError:
        return False
    except ValueError:  # a builtin that shows no signature
        return True
    return True


def composed(
    path: str, kind: str = "composed", *, eager: bool | Callable[..., Any] = False
) -> Callable[[Callable[..., Any]], Any]:
    """Register a composition of recorded functions as `numpy.<path>`.

    It runs in lazy blocks only; an `eager` one outside of them, too, so that the bits are the same.
    `eager` may also be what answers there.
    One that has NumPy compute all of it says so by the kind "numpy".

    Raising `Unsupported`, or not taking a keyword, leaves the call to the rule or to NumPy. A NumPy
    that has no such function yet leaves the composition as it is.
    """

    def register(implementation: Callable[..., Any]) -> Any:
        if not exists(path):
            return implementation
        return Function(path, implementation, kind, eager=eager)

    return register


def native(path: str) -> Function:
    """Register the builtin of `rnp._core` of the same name."""
    return Function(path, getattr(_core, path), "native")


def alias(path: str, function: Function) -> None:
    """Let `numpy.<path>` be answered by the function of another name that means the same."""
    _FUNCTIONS[find(path)] = function


def later(module: str) -> Callable[[Callable[[], None]], None]:
    """Register functions of `numpy.<module>` when one of them is first asked for.

    For what takes long to import, and whose functions do not ask deferred arrays themselves.
    """
    return functools.partial(_LATER.__setitem__, module)


def rule(*paths: str) -> Callable[[Rule], Rule]:
    """Register what the results of `numpy.<path>` look like, so that calls of it are opaque nodes.

    The rule takes NumPy's arguments, deferred arrays among them, and returns shape and dtype, or
    None when the values decide. It must not look at values.
    """

    def register(function: Rule) -> Rule:
        for path in filter(exists, paths):
            target = find(path)
            _RULES[target] = function
            if target not in _FUNCTIONS:
                Function(path, None, "opaque")
        return function

    return register


# -- arguments and results


def arrays_in(*items: Any) -> Iterator[Array]:
    """Give the deferred arrays of arguments, which may be nested in tuples, lists and dicts."""
    for item in items:
        if isinstance(item, Array):
            yield item
        elif isinstance(item, (tuple, list)):
            yield from arrays_in(*item)
        elif isinstance(item, dict):
            yield from arrays_in(*item.values())


def recording(args: Any, keywords: Any) -> bool:
    """Whether a call with these arguments is recorded: in a block, or of a traced array."""
    return is_lazy()


def replace(item: Any, change: Callable[[Any], Any]) -> Any:
    """Change every deferred array of an argument."""
    if isinstance(item, Array):
        return change(item)
    if type(item) in (tuple, list):
        return type(item)(replace(part, change) for part in item)
    if isinstance(item, tuple) and hasattr(item, "_make"):
        return item._make(replace(part, change) for part in item)
    if isinstance(item, dict):
        return {name: replace(part, change) for name, part in item.items()}
    return item


def record(result: Any) -> Any:
    """Take what NumPy returned into the graph: ndarrays become arrays with a value."""
    if isinstance(result, numpy.ndarray) and type(result) is numpy.ndarray:
        return _core.asarray(result) if supported(result.dtype) else result
    if type(result) in (tuple, list):
        return type(result)(record(part) for part in result)
    if isinstance(result, tuple) and hasattr(result, "_make"):
        return result._make(record(part) for part in result)
    return result


@functools.cache
def supported(dtype: numpy.dtype[Any]) -> bool:
    """Whether arrays of a dtype can be deferred, and come back as they were."""
    if not dtype.isnative or dtype.names is not None:
        return False
    try:
        _core.asarray(numpy.empty(0, dtype))
    except (Unsupported, TypeError):
        return False
    return True


def warn(text: str, category: type[Warning] = RuntimeWarning) -> None:
    """Warn of what a shape or the call alone tells, on the user's line."""
    frame, depth = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in _OURS:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(text, category, stacklevel=depth + 1)


_OURS = ("rnp", "numpy")


# -- NumPy answers


def fallback(function: Callable[..., Any], args: Any, keywords: Any) -> Any:
    """Answer by NumPy: as an opaque node if a rule knows the result, else at once."""
    if not recording(args, keywords):
        evaluate = _evaluator()
        return function(*replace(args, evaluate), **replace(keywords, evaluate))
    known = _RULES.get(function)
    if known is not None and not any(is_special(x) for x in (*args, *keywords.values())):
        try:
            meta = known(*args, **keywords)
        except (TypeError, ValueError, IndexError):
            meta = None  # NumPy says what is wrong
        if meta is not None and supported(numpy.dtype(meta[1])):
            return opaque(function, args, keywords, meta)
    return at_once(function, args, keywords)


def is_special(x: Any) -> bool:
    """Whether it is an ndarray that cannot be deferred: of a subclass, or of objects, say."""
    return isinstance(x, numpy.ndarray) and (
        type(x) is not numpy.ndarray or not (supported(x.dtype) or not x.dtype.isnative)
    )


def _evaluator() -> Callable[[Array], Any]:
    return lambda array: array.__array__()


def at_once(function: Callable[..., Any], args: Any, keywords: Any) -> Any:
    """Evaluate what a call needs, let NumPy answer it, and go on with the result."""
    deferred = list(arrays_in(args, keywords))
    if deferred:
        _core.eval(*deferred)  # together, so that they share loops
    evaluate = _evaluator()
    result = function(*replace(args, evaluate), **replace(keywords, evaluate))
    recorded = record(result)
    # A question that has nothing to do with arrays (`geterr`, `can_cast`) is no gap of ours.
    asked = any(isinstance(x, numpy.ndarray) for x in (*args, *keywords.values()))
    if deferred or asked or recorded is not result:
        _core._note_fallback(_name(function), True)
    return recorded


def _name(function: Callable[..., Any]) -> str:
    ours = _FUNCTIONS.get(function)
    return ours.__name__ if ours is not None else getattr(function, "__name__", str(function))


def opaque(
    function: Callable[..., Any], args: Any, keywords: Any, meta: Meta, name: str | None = None
) -> Any:
    """Record the call as a node that runs NumPy when it is evaluated."""
    name = name or _name(function)
    _core._note_fallback(name, False)
    operands: list[Any] = []

    def hole(array: Any) -> _Hole:
        operands.append(array)
        return _Hole(len(operands) - 1, array)

    # An ndarray is an operand too: what is written into it later must not be seen.
    open_args, open_keywords = _punch(args, hole), _punch(keywords, hole)

    def run(*values: Any) -> Any:
        result = function(*_fill(open_args, values), **_fill(open_keywords, values))
        return numpy.asarray(result)

    key = _key(function, open_args, open_keywords)
    return _core._call(run, operands, numpy.dtype(meta[1]), meta[0], name, key=key)


def update(
    target: Array, change: Callable[..., Any], args: tuple[Any, ...], name: str | None = None
) -> None:
    """Give a deferred array the value that `change(copy, *args)` makes of a copy of what it has.

    An error comes when the value is computed, and once: from then on the array has the value that
    it had, as if the call had not been made. A traced function makes it whenever it is called.
    """
    again = _core._is_traced(target) or any(map(_core._is_traced, arrays_in(args)))
    failed = False

    def run(values: Any, *args: Any) -> Any:
        nonlocal failed
        changed = values.copy()
        if failed:
            return changed
        try:
            change(changed, *args)
        except Exception:
            failed = not again
            raise
        return changed

    run.__name__ = name or change.__name__
    target[...] = opaque(run, (target, *args), {}, (target.shape, target.dtype))


# Arguments whose `repr` says all of them.
_PLAIN = (int, float, complex, str, bytes, type(None), numpy.generic, numpy.dtype)


def _key(function: Callable[..., Any], *items: Any) -> str | None:
    """Say what an opaque call computes, so that equal ones are one; None if that is not plain."""
    items = _spelled(function, *items)
    stack = list(items)
    while stack:
        item = stack.pop()
        if type(item) in (tuple, list):
            stack += item
        elif isinstance(item, dict):
            stack += item.values()
        elif not isinstance(item, (*_PLAIN, _Hole)) and item is not numpy._NoValue:
            return None
    # The call keeps the function, so its place in memory names no other.
    return f"{id(function)} {items!r}"


def _spelled(function: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, ...]:
    """Give arguments, defaults among them, by parameter: however they were written."""
    # Of a function that is made for one call there is no other call.
    places = _places(function, len(args), tuple(keywords)) if function in _FUNCTIONS else None
    if places is None:
        return (args, keywords)
    return tuple(
        args[at] if isinstance(at, int) else keywords[at] if isinstance(at, str) else at[0]
        for at in places
    )


@functools.lru_cache(1024)
def _places(function: Any, count: int, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    """Say for each parameter where its argument is: by place, by name, or a default in a tuple."""
    try:
        signature = inspect.signature(function)
        kinds = {p.kind for p in signature.parameters.values()}
        bound = signature.bind(*range(count), **{name: name for name in names})
    except (TypeError, ValueError):
        return None
    if kinds & {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        return None
    return tuple(
        bound.arguments[name] if name in bound.arguments else (_default(parameter),)
        for name, parameter in signature.parameters.items()
    )


def _default(parameter: inspect.Parameter) -> Any:
    """Give the default of a parameter, or what stands for one that `repr` does not tell."""
    value = parameter.default
    plain = isinstance(value, _PLAIN) or value is numpy._NoValue
    return value if plain else f"the default of {parameter.name}"


class _Hole:
    """The place of an operand among the arguments of an opaque call.

    A traced Python number is one again when the function is called.
    """

    __slots__ = ("index", "number")

    def __init__(self, index: int, operand: Any) -> None:
        self.index = index
        self.number = _core._number(operand) if isinstance(operand, Array) else None

    def __repr__(self) -> str:
        return f"#{self.index}{self.number or ''}"

    def fill(self, values: tuple[Any, ...]) -> Any:
        """Give the operand's value."""
        value = values[self.index]
        return value if self.number is None else self.number(value)


def _punch(item: Any, hole: Callable[[Any], _Hole]) -> Any:
    if isinstance(item, Array) or (type(item) is numpy.ndarray and supported(item.dtype)):
        return hole(item)
    if type(item) in (tuple, list):
        return type(item)(_punch(part, hole) for part in item)
    if isinstance(item, dict):
        return {name: _punch(part, hole) for name, part in item.items()}
    if isinstance(item, numpy.ndarray):
        return item.copy()  # of a dtype that has no deferred arrays
    return item


def _fill(item: Any, values: tuple[Any, ...]) -> Any:
    if isinstance(item, _Hole):
        return item.fill(values)
    if type(item) in (tuple, list):
        return type(item)(_fill(part, values) for part in item)
    if isinstance(item, dict):
        return {name: _fill(part, values) for name, part in item.items()}
    return item


def register_ufuncs(functions: dict[Any, Any]) -> None:
    """Register the ufuncs, which `rnp._ufunc` makes."""
    _FUNCTIONS.update(functions)


# -- protocols and names


def array_function(function: Callable[..., Any], types: Any, args: Any, keywords: Any) -> Any:
    """`__array_function__`: NumPy's functions on deferred arrays are ours where we have them."""
    if not all(issubclass(t, (Array, numpy.ndarray)) for t in types):
        return NotImplemented
    ours = _FUNCTIONS.get(function)
    if ours is not None:
        return ours(*args, **keywords)
    return fallback(function, args, keywords)


@functools.cache
def public(path: str) -> Any:
    """Give what `rnp.<path>` is: ours, or NumPy's object, functions being wrapped."""
    _LATER.pop(path.rpartition(".")[0], lambda: None)()
    target = find(path)
    try:
        ours = _FUNCTIONS.get(target)
    except TypeError:  # unhashable
        return target
    if ours is not None:
        return ours
    if isinstance(target, (type, ModuleType)) or not (
        inspect.isroutine(target) or isinstance(target, numpy.ufunc)
    ):
        return target
    return Function(path, None, "numpy")


def names(module: str) -> list[str]:
    """List the public names of `numpy.<module>`; of NumPy itself for an empty name."""
    target = find(module) if module else numpy
    return sorted({name for name in getattr(target, "__all__", dir(target)) if name[0] != "_"})


def namespace(module: str, parts: frozenset[str] = frozenset()) -> Callable[[str], Any]:
    """Make the `__getattr__` of a module that stands for one of NumPy's, with modules `parts`."""
    prefix = f"{module}.".removeprefix("rnp.")

    def get(name: str) -> Any:
        try:
            if name.startswith("__"):
                raise AttributeError(name)
            part = name in parts
            found = import_module(f"{module}.{name}") if part else public(prefix + name)
        except AttributeError:
            raise AttributeError(f"module {module!r} has no attribute {name!r}") from None
        setattr(sys.modules[module], name, found)
        return found

    return get
