"""PCM: integers of 8, 16, 24 and 32 bits and floats, as arrays and as bytes, to and from samples.

A sample at full scale is 1.0. The scale convention is one number for both ways, so what was read
and is written unchanged has its own bits again: 32768 divides by the power of two (`2 ** (bits -
1)`) and 32767 by the largest code (`2 ** (bits - 1) - 1`).
"""

from __future__ import annotations

import operator
import sys
import warnings
from typing import Any, NamedTuple

import numpy as np
import rnp
import rnp._core as core
from rnp._core import Array
from rnp.audio import _checks as checks
from rnp.audio._run import graph


class _Encoding(NamedTuple):
    """How samples are stored."""

    bits: int
    dtype: str  # of an array of codes; of 24 bits, that they are held in
    floats: str  # the least precise dtype that tells all codes apart


ENCODINGS = {
    "uint8": _Encoding(8, "uint8", "float32"),
    "int16": _Encoding(16, "int16", "float32"),
    "int24": _Encoding(24, "int32", "float32"),
    "int32": _Encoding(32, "int32", "float64"),
    "float32": _Encoding(0, "float32", "float32"),
    "float64": _Encoding(0, "float64", "float64"),
}
_NAMES = {np.dtype(name).char: name for name in ENCODINGS if name != "int24"}
SCALES = (32768, 32767)
_INT16 = np.dtype("<i2")
_NO_SEED = np.uint64(0)
# Full scales of short codes, as float32.
_FULL = {full: np.float32(full) for full in (127.0, 128.0, 32767.0, 32768.0)}


def name_of(dtype: np.dtype[Any]) -> str:
    """Name an encoding by its dtype; others are named as NumPy does, which takes longer."""
    return _NAMES.get(dtype.char) or dtype.name


def _encoding(name: Any, argument: str) -> tuple[str, _Encoding]:
    if not isinstance(name, str):
        try:
            name = np.dtype(name).name
        except TypeError:
            name = repr(name)
    return name, ENCODINGS[checks.choice(name, argument, ENCODINGS)]


def _full(encoding: _Encoding, scale: Any) -> float:
    """Take the code of full scale."""
    convention = checks.choice(scale, "scale", SCALES)
    return float(2 ** (encoding.bits - 1) - (convention == 32767))


def _precision(encoding: _Encoding, scale: Any, dtype: Any) -> str:
    """Take the dtype of samples, or choose one that gives all codes back."""
    if dtype is not None:
        found = np.dtype(dtype).name
        if found not in ("float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, not {found}")
        return str(found)
    # float32 cannot undo a division of 24 bits by what is no power of two.
    return "float64" if encoding.bits == 24 and scale == 32767 else encoding.floats


@graph("full", "bits", "dtype")
def _from_codes(codes: Any, full: float, bits: int, dtype: str) -> Any:
    if bits == 0:
        return codes.astype(dtype)
    if bits > 16 or dtype == "float64":
        x = codes.astype(dtype)
        return rnp.divide(rnp.subtract(x, 128.0) if bits == 8 else x, full)
    # Short codes meet float32 in float32, without a step of their own.
    x = rnp.subtract(codes, np.float32(128)) if bits == 8 else codes
    return rnp.divide(x, _FULL[full])


@graph("dtype")
def _from_bytes24(raw: Any, full: float, dtype: str) -> Any:
    low, middle, high = (raw[:, k].astype("int32") for k in range(3))
    # The highest byte has the sign; shifted to the top and back it fills the word.
    codes = ((high << 24) | (middle << 16) | (low << 8)) >> 8
    return codes.astype(dtype) / full


def _mixed(x: Any) -> Any:
    """Mix the bits of uint64 numbers: the last step of SplitMix64 (Steele, Lea and Flood, 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _triangle(x: Any, seed: Any) -> Any:
    """Noise of triangular density from -1 to 1: the difference of both halves of a random word.

    The word of sample `i`, counted in C order, is element `i` of SplitMix64 from `seed`: a formula
    of the index, the same for any number of threads.
    """
    i = rnp.arange(x.size, dtype="uint64").reshape(x.shape)
    word = _mixed((i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + seed)
    high, low = (word >> np.uint64(32)), word & np.uint64(0xFFFFFFFF)
    return (high.astype("float64") - low.astype("float64")) * 2.0**-32


@graph("full", "bits", "dithered", "clean")
def _codes(x: Any, seed: Any, full: float, bits: int, dithered: bool, clean: bool) -> Any:
    """Scale, dither, round to even, saturate; NaN, if there may be any, is silence."""
    char = "d" if bits == 32 else {"e": "f"}.get(x.dtype.char, x.dtype.char)
    y = core.multiply(x if x.dtype.char == char else x.astype(char), full)
    if dithered:
        y = rnp.add(y, _triangle(y, seed)).astype(char)
    if not clean:
        y = rnp.where(rnp.equal(x, x), y, 0.0)
    top = float(2 ** (bits - 1))
    y = core.clip(core.rint(y), -top, top - 1.0)
    if bits == 8:
        return rnp.add(y, 128.0).astype("uint8")
    return y.astype("int16" if bits == 16 else "int32")


def _bytes24(codes: Any) -> Any:
    places = np.array([0, 8, 16], np.int32)
    return rnp.right_shift(codes.reshape(-1, 1), places).astype("uint8").reshape(-1)


def _warned(x: Any, level: int, seed: Any, full: float, bits: int, dithered: bool) -> Any:
    """Codes at once, with a warning of NaN on the line so many calls up."""
    top = core.max(x) if x.size else 0.0
    clean = bool(top == top)
    if not clean:
        warnings.warn("samples have NaN, which became 0", RuntimeWarning, stacklevel=level)
    return _codes(x, seed, full, bits, dithered, clean)


def _encode(samples: Any, name: str, scale: Any, dither: Any, seed: Any, packed: bool) -> Any:
    """Give codes, or the bytes of 24-bit codes."""
    encoding = ENCODINGS[name]
    x = checks.samples(samples)
    if x.dtype.kind != "f":
        raise TypeError(f"samples must be floats at full scale 1.0, not {x.dtype}; see from_pcm")
    if dither is not None:
        checks.choice(dither, "dither", ("tpdf",))
    try:
        start = np.uint64(operator.index(seed) % 2**64)
    except TypeError:
        raise TypeError(f"seed must be an integer, not {type(seed).__name__}") from None
    if encoding.bits == 0:
        if dither is not None:
            raise ValueError(f"dither is for integers, not for {name}")
        return x.astype(encoding.dtype)
    arguments = (start, _full(encoding, scale), encoding.bits, dither is not None)
    codes = _codes(x, *arguments, False) if core.is_lazy() else _warned(x, 4, *arguments)
    return _bytes24(codes) if packed else codes


def _is_plain(samples: Any, encoding: Any, scale: Any, dither: Any, seed: Any) -> bool:
    """Whether a call is the one that most are, which needs no other checks."""
    return (
        type(samples) is np.ndarray
        and samples.dtype is checks.FLOAT32
        and encoding == "int16"
        and scale == 32768
        and dither is None
        and type(seed) is int
        and not core.is_lazy()
    )


def from_pcm(codes: Any, encoding: Any = None, *, scale: int = 32768, dtype: Any = None) -> Any:
    """Samples at full scale 1.0 of integer codes; floats pass.

    codes: uint8 (128 is silence), int16, int32, float32 or float64, of any shape. encoding: what
    the codes are if their dtype does not say it, as for 24-bit codes in int32 ("int24"). scale:
    32768 divides by `2 ** (bits - 1)`, so samples reach from -1 to just below 1; 32767 by the
    largest code. dtype: float32 or float64; None chooses float32 where it tells all codes apart,
    else float64. Returns samples of the same shape. TypeError for other dtypes, ValueError for
    another scale.

    Formula: `codes / scale`, for uint8 `(codes - 128) / scale`.

    >>> audio.from_pcm(np.array([-32768, 16384], np.int16))
    array([-1. ,  0.5], dtype=float32)
    """
    plain = encoding is None and scale == 32768 and dtype is None
    if plain and type(codes) is np.ndarray and codes.dtype is _INT16:
        return core.divide(codes, _FULL[32768.0])
    x = checks.samples(codes, "codes")
    name, known = _encoding(name_of(x.dtype) if encoding is None else encoding, "encoding")
    if name_of(x.dtype) != known.dtype:
        raise TypeError(f"codes of {name} must be {known.dtype}, not {x.dtype}")
    full = _full(known, scale) if known.bits else 1.0
    return _from_codes(x, full, known.bits, _precision(known, scale, dtype))


def to_pcm(
    samples: Any,
    encoding: Any = "int16",
    *,
    scale: int = 32768,
    dither: str | None = None,
    seed: int = 0,
) -> Any:
    """Integer codes of samples at full scale 1.0: scaled, rounded to nearest (even), saturated.

    samples: floats of any shape. encoding: "uint8", "int16", "int24" (in int32), "int32",
    "float32", "float64", or such a dtype. scale: as in `from_pcm`; what was read with one scale and
    is written with the same has its own codes again. dither: "tpdf" adds noise of triangular
    density, 2 LSB wide, before rounding: element `i` of SplitMix64 from `seed`, the same for any
    number of threads. NaN becomes 0 with a RuntimeWarning, infinities saturate. In a lazy block
    there are no values to warn of: NaN becomes 0 silently. Returns codes of the same shape.
    TypeError for integers.

    Formula: `clip(rint(samples * scale), -2 ** (bits - 1), 2 ** (bits - 1) - 1)`.

    >>> audio.to_pcm(np.array([-1.5, 0.5, 1.0]))
    array([-32768,  16384,  32767], dtype=int16)
    """
    if _is_plain(samples, encoding, scale, dither, seed):
        return _warned(samples, 3, _NO_SEED, 32768.0, 16, False)
    name, _ = _encoding(encoding, "encoding")
    return _encode(samples, name, scale, dither, seed, False)


def read_pcm(
    data: Any,
    encoding: Any = "int16",
    *,
    channels: int = 1,
    scale: int = 32768,
    dtype: Any = None,
) -> Any:
    """Samples at full scale 1.0 of the bytes of a recording, little-endian and interleaved.

    data: bytes, or an object with a buffer of bytes. encoding: as in `to_pcm`; "int24" is packed,
    three bytes each. channels: 1 or more. scale, dtype: as in `from_pcm`. Returns shape (n,) for
    one channel, else (n, channels). ValueError for bytes that are no whole number of frames.

    >>> audio.read_pcm(b"\\x00\\x40\\x00\\xc0")
    array([ 0.5, -0.5], dtype=float32)
    >>> audio.read_pcm(bytes([0, 0, 64]), "int24")
    array([0.5], dtype=float32)
    """
    plain = encoding == "int16" and channels == 1 and scale == 32768 and dtype is None
    if plain and type(data) is bytes and not len(data) % 2:
        return frombuffer_int16_to_float32(data)
    name, known = _encoding(encoding, "encoding")
    count = checks.length(channels, "channels")
    if count == 0:
        raise ValueError("channels must be 1 or more, not 0")
    try:
        raw = np.frombuffer(data, np.uint8)
    except (TypeError, ValueError, BufferError) as error:
        raise TypeError(f"data must be bytes, not {type(data).__name__}: {error}") from None
    size = 3 if name == "int24" else np.dtype(known.dtype).itemsize
    if raw.size % (size * count):
        raise ValueError(
            f"data must be whole frames of {count} times {size} bytes; got {raw.size} bytes"
        )
    full = _full(known, scale) if known.bits else 1.0
    precision = _precision(known, scale, dtype)
    if name == "int24":
        x = _from_bytes24(checks.samples(raw.reshape(-1, 3)), full, precision)
    else:
        codes = raw.view(np.dtype(known.dtype).newbyteorder("<"))
        x = _from_codes(checks.samples(codes), full, known.bits, precision)
    return x if count == 1 else x.reshape(-1, count)


def write_pcm(
    samples: Any,
    encoding: Any = "int16",
    *,
    scale: int = 32768,
    dither: str | None = None,
    seed: int = 0,
) -> Any:
    """Bytes of samples at full scale 1.0, little-endian; frames are rows, as (n,) or (n, channels).

    Arguments as in `to_pcm`; "int24" is packed, three bytes each. Returns bytes; in a lazy block,
    where there are none yet, a deferred array of uint8, of codes for all but "int24".

    >>> audio.write_pcm(np.array([0.5, -0.5]))
    b'\\x00@\\x00\\xc0'
    >>> list(audio.write_pcm(np.array([0.5]), "int24"))
    [0, 0, 64]
    """
    if _is_plain(samples, encoding, scale, dither, seed):
        codes = _warned(samples, 3, _NO_SEED, 32768.0, 16, False)
    else:
        name, _ = _encoding(encoding, "encoding")
        codes = _encode(samples, name, scale, dither, seed, name == "int24")
    if isinstance(codes, Array):
        return codes
    if sys.byteorder == "big":
        codes = codes.byteswap()
    return bytes(codes.tobytes())


def frombuffer_int16_to_float32(data: Any) -> Any:
    """Samples of the bytes of 16-bit mono PCM: `frombuffer(data, int16).astype(float32) / 32768`.

    data: bytes, little-endian. Returns float32, (n,). ValueError for an odd number of bytes.

    >>> audio.frombuffer_int16_to_float32(b"\\x00\\x40")
    array([0.5], dtype=float32)
    """
    if type(data) is not bytes or len(data) % 2:
        return read_pcm(data, "int16", dtype="float32")
    return core.divide(np.frombuffer(data, _INT16), _FULL[32768.0])


def int16_to_float32(samples: Any) -> Any:
    """Samples at full scale 1.0 of int16 codes: `codes.astype(float32) / 32768`.

    samples: int16, of any shape; any other dtype is a TypeError.

    >>> audio.int16_to_float32(np.array([-32768, 8192], np.int16))
    array([-1.  ,  0.25], dtype=float32)
    """
    x = samples
    if type(x) is not np.ndarray or x.dtype is not _INT16:
        x = checks.real(x)
        if x.dtype.char != "h":
            raise TypeError(f"samples must be int16, not {x.dtype}")
    return core.divide(x, _FULL[32768.0])


def float32_to_int16(samples: Any) -> Any:
    """int16 codes of samples at full scale 1.0, what `int16_to_float32` undoes: `to_pcm`.

    samples: floats of any shape. Rounded to nearest, saturated, NaN is 0 with a warning.

    >>> audio.float32_to_int16(np.array([0.25, 2.0], np.float32))
    array([ 8192, 32767], dtype=int16)
    """
    x = checks.real(samples)
    if x.dtype.char != "f" or core.is_lazy():
        return _encode(x, "int16", 32768, None, 0, False)
    return _warned(x, 3, _NO_SEED, 32768.0, 16, False)
