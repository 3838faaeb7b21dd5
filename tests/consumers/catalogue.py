"""The functions: where each is, how it is called, and how close to NumPy's its result must be.

A number names the function; several cases of one number take its branches, or its neighbours.
`call` gets the module, the NumPy of the moment and copies of the arguments. Results are exact
unless `within` says why they cannot be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import takes
from loader import load


@dataclass(frozen=True)
class Within:
    """How far a result may be from NumPy's, and why.

    `ulps` of a `unit` type at each value, or, with `peak`, at the largest: where values were
    subtracted, small ones carry the error of large ones. `steps` is for results on a grid, which a
    last bit before the rounding moves by a whole step: by how much, and in which share of them.
    """

    why: str
    ulps: float = 0.0
    unit: str = "float32"
    peak: bool = False
    steps: float = 0.0
    share: float = 0.0


@dataclass(frozen=True)
class Case:
    """One call of one function."""

    number: int
    name: str
    module: str
    call: Callable[..., Any]
    arguments: Callable[[], Sequence[Any]]
    within: Within | None = None

    @property
    def package(self) -> str:
        """The package whose modules get another `np`."""
        return self.module.partition(".")[0]

    @property
    def id(self) -> str:
        """What tests and tables call it."""
        return f"{self.number:02} {self.package} {self.name}"


ELEMENTARY = Within("elementary functions, last bits", ulps=4)
ELEMENTARY_64 = Within("elementary functions, last bits", ulps=8, unit="float64")
LEVELS = Within("logarithms, then a difference of levels", ulps=4, peak=True)
LEVELS_64 = Within("logarithms, then a difference of levels", ulps=16, unit="float64", peak=True)
TRANSFORMED_64 = Within(
    "a transform's error is one of its loudest frequency, and a logarithm shows it in quiet ones",
    ulps=1024,
    unit="float64",
    peak=True,
)
SUMS = Within("order and width of float32 sums", ulps=8)
LONG_SUMS = Within("NumPy adds the rows of a float32 array one by one, in float32", ulps=64)
SUMS_64 = Within("order of float64 sums", ulps=256, unit="float64")
FILTERS = Within("differences of frequencies", ulps=2, peak=True)
COMPANDED = Within("a logarithm before rounding to steps", steps=1, share=1e-4)


ENDPOINT = {"trim_db": 40, "gain": 20, "base": 10}


def transform(name: str, parameters: dict[str, Any]) -> Callable[..., Any]:
    """Apply a transform of audiomentations with its random parameters chosen."""

    def call(m: Any, _np: Any, samples: Any) -> Any:
        chosen = getattr(m, name)(p=1.0)
        chosen.parameters = {"should_apply": True} | parameters
        chosen.freeze_parameters()
        return chosen(samples, takes.RATE)

    return call


def spoken(number: int, name: str, transformation: str, parameters: dict[str, Any]) -> Case:
    """Return the case of a transform of audiomentations."""
    module = f"audiomentations.augmentations.{name}"
    call = transform(transformation, parameters)
    within = SUMS if transformation == "TanhDistortion" else None
    arguments = takes.channels if transformation == "TimeMask" else takes.sax
    return Case(number, transformation, module, call, lambda: [arguments()], within)


def limited(m: Any, _np: Any, array: Any) -> Any:
    """Run matchering's limiter."""
    return m.limit(array, load("matchering").Config())


def loudest(m: Any, _np: Any, array: Any) -> Any:
    """Find the loudest pieces as matchering does: middle and side, pieces, their levels."""
    middle, side = load("matchering.dsp").lr_to_ms(array)
    pieces, levels, average = m.get_average_rms(middle, 4800, 33, "target")
    return middle, side, pieces, levels, average, m.get_lpis_and_match_rms(levels, average)


def analyzed(m: Any, _np: Any, array: Any) -> Any:
    """Run matchering's whole analysis of levels."""
    return m.analyze_levels(array, "target", load("matchering").Config(max_piece_size=0.25))


def decoded(m: Any, _np: Any, raw: bytes) -> Any:
    """Let whisper read samples, in the place of the program that it starts to decode a file."""
    with patch.object(m, "run", lambda *_args, **_keywords: SimpleNamespace(stdout=raw)):
        return m.load_audio("take.wav")


def spread(dtype: str) -> np.ndarray[Any, Any]:
    """Return the saxophone in another dtype, using the whole of its range."""
    if dtype.startswith("float"):
        return takes.sax().astype(dtype)
    info = np.iinfo(dtype)
    middle = 0 if info.min < 0 else info.max // 2 + 1
    return (takes.sax().astype(np.float64) * (info.max // 2) + middle).astype(dtype)


def bank(m: Any, _np: Any, scale: str) -> Any:
    """Make transformers' mel filters."""
    return m.mel_filter_bank(201, 80, 0.0, 8000.0, 16000, norm="slaney", mel_scale=scale)


def hertz() -> Sequence[Any]:
    """Return the frequencies of a spectrum's rows."""
    return [np.fft.rfftfreq(2048, 1 / takes.RATE)]


def librosa(
    number: int,
    name: str,
    module: str,
    call: Callable[..., Any],
    arguments: Callable[[], Sequence[Any]],
    within: Within | None = None,
) -> Case:
    """Return a case of librosa."""
    return Case(number, name, f"librosa.{module}", call, arguments, within)


def nothing() -> Sequence[Any]:
    """Return no arguments: the function makes its arrays itself."""
    return []


def stereo() -> Sequence[Any]:
    """Return the stereo take."""
    return [takes.stereo()]


def duet_64() -> Sequence[Any]:
    """Return two different channels as float64, loud enough to be limited."""
    return [takes.duet().astype(np.float64) * 2]


def sax() -> Sequence[Any]:
    """Return the mono take."""
    return [takes.sax()]


def spectrum() -> Sequence[Any]:
    """Return the magnitudes."""
    return [takes.magnitudes()]


def mel() -> Sequence[Any]:
    """Return the mel spectrum."""
    return [takes.mel()]


def speech_frames() -> np.ndarray[Any, Any]:
    """Return frames of speech, (count, 400), as float64."""
    samples = takes.speech().astype(np.float64)
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(samples, 400)[::160])


CASES = [
    librosa(1, "normalize peak", "util.utils", lambda m, _, x: m.normalize(x, axis=0), stereo),
    librosa(
        1, "normalize l2", "util.utils", lambda m, _, s: m.normalize(s, norm=2), spectrum, SUMS
    ),
    librosa(
        1,
        "normalize l1 fill",
        "util.utils",
        lambda m, _, s: m.normalize(s, norm=1, fill=True),
        spectrum,
        SUMS,
    ),
    librosa(
        1, "normalize zero fill", "util.utils", lambda m, _, s: m.normalize(s, fill=False), spectrum
    ),
    librosa(
        2,
        "power_to_db",
        "core.spectrum",
        lambda m, np, s: m.power_to_db(s, ref=np.max),
        mel,
        LEVELS,
    ),
    librosa(
        2,
        "power_to_db, NumPy's max",
        "core.spectrum",
        lambda m, _, s: m.power_to_db(s, ref=np.max, top_db=None),
        mel,
        LEVELS,
    ),
    librosa(3, "mu_compress", "core.audio", lambda m, _, x: m.mu_compress(x), sax, COMPANDED),
    librosa(
        3,
        "mu_compress, not quantized",
        "core.audio",
        lambda m, _, x: m.mu_compress(x, quantize=False),
        sax,
        ELEMENTARY,
    ),
    librosa(
        3,
        "mu_expand",
        "core.audio",
        lambda m, _, x: m.mu_expand(x),
        lambda: [(takes.sax() * 128).astype(np.int64)],
        Within("a power, less 1", ulps=64, unit="float64", peak=True),
    ),
    librosa(
        3,
        "mu_expand, not quantized",
        "core.audio",
        lambda m, _, x: m.mu_expand(x, quantize=False),
        sax,
        Within("a power, less 1", ulps=4, peak=True),
    ),
    librosa(4, "rms", "feature.spectral", lambda m, _, y: m.rms(y=y), sax, SUMS),
    librosa(
        4, "rms of a spectrum", "feature.spectral", lambda m, _, s: m.rms(S=s), spectrum, LONG_SUMS
    ),
    librosa(5, "hz_to_mel", "core.convert", lambda m, _, f: m.hz_to_mel(f), hertz, ELEMENTARY_64),
    librosa(
        5,
        "hz_to_mel htk",
        "core.convert",
        lambda m, _, f: m.hz_to_mel(f, htk=True),
        hertz,
        ELEMENTARY_64,
    ),
    librosa(
        5,
        "mel_to_hz",
        "core.convert",
        lambda m, _, f: m.mel_to_hz(f),
        lambda: [np.linspace(0, 60, 1025)],
        ELEMENTARY_64,
    ),
    librosa(6, "mel", "filters", lambda m, _: m.mel(sr=takes.RATE, n_fft=2048), nothing, FILTERS),
    librosa(
        7,
        "spectral_flatness",
        "feature.spectral",
        lambda m, _, s: m.spectral_flatness(S=s),
        spectrum,
        Within("NumPy's float32 mean of logarithms, raised to a power of e", ulps=4096),
    ),
    librosa(
        8,
        "spectral_centroid",
        "feature.spectral",
        lambda m, _, s: m.spectral_centroid(S=s, sr=takes.RATE),
        spectrum,
        SUMS,
    ),
    librosa(
        8,
        "spectral_bandwidth",
        "feature.spectral",
        lambda m, _, s: m.spectral_bandwidth(S=s, sr=takes.RATE),
        spectrum,
        SUMS,
    ),
    librosa(
        9,
        "buf_to_float",
        "util.utils",
        lambda m, _, raw: m.buf_to_float(raw),
        lambda: [takes.sax_pcm().tobytes()],
    ),
    librosa(
        9,
        "buf_to_float of an array",
        "util.utils",
        lambda m, _, x: m.buf_to_float(x),
        lambda: [takes.sax_pcm()],
    ),
    Case(10, "peak", "pyloudnorm.normalize", lambda m, _, x: m.peak(x, -1.0), sax, ELEMENTARY_64),
    Case(
        10,
        "loudness, clipped",
        "pyloudnorm.normalize",
        lambda m, _, x: m.loudness(x, -11.6, -9.0),
        sax,
        ELEMENTARY_64,
    ),
    spoken(11, "clipping_distortion", "ClippingDistortion", {"percentile_threshold": 30}),
    spoken(12, "tanh_distortion", "TanhDistortion", {"distortion_amount": 0.4}),
    spoken(13, "bit_crush", "BitCrush", {"bit_depth": 7}),
    spoken(14, "time_mask", "TimeMask", {"t": 12_000, "t0": 40_000}),
    Case(
        15,
        "calculate_rms_without_silence",
        "audiomentations.core.utils",
        lambda m, _, x: m.calculate_rms_without_silence(x, takes.RATE),
        sax,
        SUMS_64,
    ),
    Case(
        16,
        "convert_float_samples_to_int16",
        "audiomentations.core.utils",
        lambda m, _, x: m.convert_float_samples_to_int16(x),
        sax,
    ),
    spoken(16, "gain", "Gain", {"amplitude_ratio": 0.7079457843841379}),
    spoken(16, "polarity_inversion", "PolarityInversion", {}),
    Case(
        17,
        "_amp_to_db",
        "noisereduce.spectralgate.utils",
        lambda m, _, s: m._amp_to_db(s),
        lambda: [np.ascontiguousarray(takes.magnitudes()[:513, :750].T)],
        LEVELS_64,
    ),
    Case(
        18,
        "rectify",
        "matchering.dsp",
        lambda m, _, x: m.rectify(x, 0.998),
        duet_64,
    ),
    Case(18, "limit", "matchering.limiter.hyrax", limited, duet_64),
    Case(
        18,
        "limit, nothing to do",
        "matchering.limiter.hyrax",
        limited,
        lambda: [takes.duet().astype(np.float64) / 2],
    ),
    Case(19, "loudest pieces", "matchering.stage_helpers.match_levels", loudest, duet_64, SUMS_64),
    Case(
        19,
        "analyze_levels",
        "matchering.stage_helpers.match_levels",
        analyzed,
        duet_64,
        SUMS_64,
    ),
    Case(20, "load_audio", "whisper.audio", decoded, lambda: [takes.sax_pcm().tobytes()]),
    Case(
        21,
        "FeatureExtractor",
        "faster_whisper.feature_extractor",
        lambda m, _, x: m.FeatureExtractor()(x),
        lambda: [takes.speech()],
        Within("float32 sums of products, their logarithm", ulps=32, peak=True),
    ),
    Case(
        22,
        "power_to_db",
        "transformers.audio_utils",
        lambda m, _, s: m.power_to_db(s, reference=1.0, db_range=80.0),
        mel,
        LEVELS,
    ),
    Case(
        22,
        "power_to_db, loudest is 0",
        "transformers.audio_utils",
        lambda m, np, s: m.power_to_db(s, reference=np.max(s)),
        mel,
        LEVELS,
    ),
    Case(
        22,
        "hertz_to_mel",
        "transformers.audio_utils",
        lambda m, _, f: [m.hertz_to_mel(f, s) for s in ("slaney", "htk", "kaldi")],
        hertz,
        ELEMENTARY_64,
    ),
    Case(
        22,
        "mel_to_hertz",
        "transformers.audio_utils",
        lambda m, _, f: [m.mel_to_hertz(f, s) for s in ("slaney", "htk", "kaldi")],
        lambda: [np.linspace(0, 60, 1025)],
        Within("a power, less 1", ulps=64, unit="float64", peak=True),
    ),
    Case(
        22,
        "mel_filter_bank",
        "transformers.audio_utils",
        lambda m, np: [bank(m, np, scale) for scale in ("slaney", "htk")],
        nothing,
        Within("differences of frequencies", ulps=256, unit="float64", peak=True),
    ),
    *[
        Case(
            23,
            f"convert_to_16_bit_audio {dtype}",
            "gradio.processing_utils",
            lambda m, _, x: m.convert_to_16_bit_audio(x),
            lambda dtype=dtype: [spread(dtype)],
        )
        for dtype in ("float16", "float32", "float64", "int32", "int16", "uint16", "uint8", "int8")
    ],
    Case(
        23,
        "convert_to_16_bit_audio silence",
        "gradio.processing_utils",
        lambda m, _, x: m.convert_to_16_bit_audio(x),
        lambda: [np.zeros(4800, np.float32)],
    ),
    Case(
        24,
        "audio_float_to_int16",
        "piper.train.vits.utils",
        lambda m, _, x: m.audio_float_to_int16(x),
        sax,
    ),
    Case(
        24,
        "AudioChunk.audio_int16_array",
        "piper.voice",
        lambda m, _, x: m.AudioChunk(takes.RATE, 2, 1, x, [], [], []).audio_int16_array,
        lambda: [takes.sax() * np.float32(1.5)],
    ),
    *[
        Case(25, name, "TTS.utils.audio.numpy_transforms", call, arguments, within)
        for name, call, arguments, within in (
            ("mulaw_encode", lambda m, _, x: m.mulaw_encode(wav=x, mulaw_qc=10), sax, COMPANDED),
            (
                "mulaw_decode",
                lambda m, _, x: m.mulaw_decode(wav=x, mulaw_qc=10),
                sax,
                Within("a power, less 1", ulps=4, peak=True),
            ),
            ("amp_to_db", lambda m, _, s: m.amp_to_db(x=s, gain=20), spectrum, LEVELS),
            ("db_to_amp", lambda m, _, s: m.db_to_amp(x=s, gain=20), sax, ELEMENTARY),
            ("encode_16bits", lambda m, _, x: m.encode_16bits(x=x), sax, None),
            ("quantize", lambda m, _, x: m.quantize(x=x, quantize_bits=10), sax, None),
            ("volume_norm", lambda m, _, x: m.volume_norm(x=x), sax, None),
            ("rms_volume_norm", lambda m, _, x: m.rms_volume_norm(x=x), sax, SUMS),
            (
                "find_endpoint",
                lambda m, _, x: m.find_endpoint(wav=x, sample_rate=16_000, **ENDPOINT),
                lambda: [np.concatenate([takes.speech(), np.zeros(32_000, np.float32)])],
                None,
            ),
        )
    ],
    Case(
        26,
        "to_array",
        "auditok.signal",
        lambda m, _, raw: m.to_array(raw, 2, 2),
        lambda: [takes.duet_pcm().tobytes()],
    ),
    *[
        Case(
            26,
            f"compute_frame_energies {name}",
            "auditok.signal",
            lambda m, _, raw, width=width, channels=channels, use=use: m.compute_frame_energies(
                raw, width, channels, 480, use_channel=use
            ),
            arguments,
            LEVELS_64,
        )
        for name, width, channels, use, arguments in (
            ("mono", 2, 1, None, lambda: [takes.sax_pcm().tobytes()]),
            ("float", 4, 1, None, lambda: [takes.sax().tobytes()]),
            ("stereo any", 2, 2, "any", lambda: [takes.duet_pcm().tobytes()]),
            ("stereo mix", 2, 2, "mix", lambda: [takes.duet_pcm().tobytes()]),
            ("stereo right", 2, 2, -1, lambda: [takes.duet_pcm().tobytes()]),
        )
    ],
    Case(
        27,
        "framesig",
        "python_speech_features.sigproc",
        lambda m, np, x: m.framesig(x, 400, 160, winfunc=np.hamming),
        lambda: [takes.speech()],
        ELEMENTARY_64,
    ),
    Case(
        27,
        "logpowspec",
        "python_speech_features.sigproc",
        lambda m, _, f: m.logpowspec(f, 512),
        lambda: [speech_frames()],
        TRANSFORMED_64,
    ),
    Case(
        27,
        "fbank",
        "python_speech_features.base",
        lambda m, _, x: m.fbank(x),
        lambda: [(takes.speech() * 20_000).astype(np.int16)],
        SUMS_64,
    ),
    Case(
        28,
        "pitch_contour",
        "mir_eval.sonify",
        lambda m, _, times, pitch: m.pitch_contour(times, pitch, takes.RATE),
        takes.pitch,
        Within(
            "the sine of a running sum over 767,040 steps", ulps=2.0**26, unit="float64", peak=True
        ),
    ),
    Case(29, "as in slicer2.get_rms", "own", lambda m, _, x: m.frame_rms(x), sax, SUMS),
    *[
        Case(30, f"as in pocket-tts {name}", "own", call, arguments, within)
        for name, call, arguments, within in (
            ("normalize", lambda m, _, x: m.normalize(x, 0.5), stereo, None),
            (
                "normalize, silence",
                lambda m, _, x: m.normalize(x),
                lambda: [np.zeros(4800, np.float32)],
                None,
            ),
            ("normalize int16", lambda m, _, x: m.normalize(x), lambda: [takes.stereo_pcm()], None),
            ("resample", lambda m, _, x: m.resample(x, 384_000), sax, ELEMENTARY),
            ("fade", lambda m, _, x: m.fade(x, 10, takes.RATE), sax, None),
            (
                "normalize, a NaN among them",
                lambda m, _, x: m.normalize(x),
                lambda: [np.append(takes.stereo(), np.float32(np.nan))],
                None,
            ),
            ("metrics", lambda m, _, x: m.metrics(x), sax, SUMS),
            (
                "metrics of silence",
                lambda m, _, x: m.metrics(x),
                lambda: [np.zeros(4800, np.float32)],
                None,
            ),
            (
                "metrics of int16, which wraps",
                lambda m, _, x: m.metrics(x),
                lambda: [np.array([30_000, -30_000, -32_768, 5], np.int16)],
                ELEMENTARY_64,
            ),
            ("report", lambda m, _, x: m.report(x, 512), stereo, SUMS),
            (
                "chunk_bytes",
                lambda m, _, x: m.chunk_bytes(x),
                lambda: [(takes.sax()[200_000:204_800] * np.float32(1.2)).tolist()],
                None,
            ),
            ("encode", lambda m, _, x: m.encode(x), sax, None),
        )
    ],
]
