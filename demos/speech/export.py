"""Writing a recogniser as a SavedModel, for which TensorFlow alone is enough."""

import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from demos.speech.audio import LONGEST, SHORTEST
from demos.speech.errors import UserError
from demos.speech.files import write_beside
from demos.speech.loading import ensemble, language_models, open_model, run_config
from demos.speech.model import ListenAttendSpell
from demos.speech.recognition import transcriber
from demos.speech.resampling import resample
from demos.speech.streaming_export import streaming_signatures

# Hz. What claims another rate is hardly speech.
LOWEST_RATE, HIGHEST_RATE = 4000, 192000

# What TensorFlow puts into the folder of a SavedModel.
_PARTS = {"saved_model.pb", "fingerprint.pb", "variables", "assets"}


def export(model_path, saved_model_dir, decoding=None, jit_compile=False):
    """Write the SavedModel of a trained model.

    Its signatures, and attributes once loaded by `tf.saved_model.load`:

    | name | takes | gives |
    |---|---|---|
    | `serving_default`, `.transcribe` | `waveform`, `num_samples` | what a `Decoder` returns |
    | `transcribe_phrases`, `.transcribe_phrases` | and `phrases`: string `(count,)` | the same; of characters only |
    | `transcribe_wav`, `.transcribe_wav` | `wav`: string `(batch,)` | the same |
    | `stream_start`, `stream`, `stream_end` | see `streaming_signatures`; of one model alone | |
    | `.sample_rate` | | int32, Hz |
    | `.symbols` | | string `(vocabulary,)`: the printable name of every token |

    `wav` are the bytes of WAV files: PCM of 16 bits, any number of channels, which are averaged, and any rate from
    `LOWEST_RATE` to `HIGHEST_RATE`, which `resample` brings to that of the model.

    Args:
        model_path: a `.keras` file or a run folder.
        saved_model_dir: the folder to write; a SavedModel that is there is replaced.
        decoding: settings of the search that differ from those of the run, a dict.
        jit_compile: whether listening and the search are compiled, see `compiled_search`.

    Raises:
        UserError: the model cannot be read, or the folder cannot be written or holds something else.
    """
    saved_model_dir = Path(saved_model_dir)
    _check_target(saved_model_dir)
    config = run_config(model_path).replace(decoding=decoding or {})
    models = [without_cudnn(one) for one in ensemble(open_model(model_path), config.decoding)]
    model = models[0]
    module = exportable(models, config.decoding, language_models(config.decoding, model.vocabulary), jit_compile)
    signatures = {"serving_default": module.transcribe, "transcribe_wav": module.transcribe_wav}
    if hasattr(module, "transcribe_phrases"):
        signatures["transcribe_phrases"] = module.transcribe_phrases
    if len(models) == 1:
        signatures |= streaming_signatures(model, config.decoding)
    with write_beside(saved_model_dir) as beside, tempfile.TemporaryDirectory() as folder:
        module.assets = [tf.saved_model.Asset(path) for path in model.vocabulary.write_assets(Path(folder))]
        tf.saved_model.save(module, beside, signatures)


def without_cudnn(model):
    """The same model of parts that run on every device."""
    copy = ListenAttendSpell.from_config(model.get_config() | {"use_cudnn": False})
    copy.set_weights(model.get_weights())
    return copy


def exportable(models, decoding, language_models=(), jit_compile=False):
    """A `tf.Module` with all that the SavedModel of recognisers, mostly one, shall have; see `export`."""
    module, model = tf.Module(), models[0]
    recurrent = [scorer for scorer, _ in language_models if isinstance(scorer, keras.Model)]
    module.parameters = [variable.value for one in (*models, *recurrent) for variable in one.variables]
    module.sample_rate = tf.Variable(model.features_config.sample_rate, trainable=False)
    module.symbols = tf.Variable(model.vocabulary.symbols, trainable=False)

    compiled = {"jit_compile": jit_compile}
    transcribe = transcriber(models, decoding, language_models, **compiled)
    if model.vocabulary.encoded_by_graph:
        module.transcribe_phrases = transcriber(models, decoding, language_models, takes_phrases=True, **compiled)

    @tf.function(input_signature=[tf.TensorSpec([None], "string")])
    def transcribe_wav(wav):
        return transcribe(*decode_wavs(wav, model.features_config.sample_rate))

    module.transcribe, module.transcribe_wav = transcribe, transcribe_wav
    return module


def decode_wavs(wav, sample_rate):
    """The waveforms in WAV files.

    Args:
        wav: string `(batch,)`, the bytes of the files.
        sample_rate: Hz, of the result.

    Returns:
        waveform: float32 `(batch, samples)`, padded with zeros.
        num_samples: int32 `(batch,)`.

    Raises:
        tf.errors.InvalidArgumentError: when run, one is no WAV file of 16 bits, or too short, too long, or of a rate
            out of bounds.
    """
    spec = tf.RaggedTensorSpec([None], "float32", ragged_rank=0)
    waveforms = tf.map_fn(lambda one: _decode_wav(one, sample_rate), wav, fn_output_signature=spec)
    return waveforms.to_tensor(), tf.cast(waveforms.row_lengths(), "int32")


def _decode_wav(wav, sample_rate):
    check = _expect(
        tf.equal(tf.strings.substr(wav, 0, 4), "RIFF"),
        "Expected the bytes of WAV files, which begin with RIFF. Received bytes:",
        tf.strings.length(wav),
    )
    with tf.control_dependencies([check]):
        channels, rate = tf.audio.decode_wav(wav)
    samples = tf.shape(channels)[0]
    seconds = samples / rate
    _expect(
        (rate >= LOWEST_RATE) & (rate <= HIGHEST_RATE),
        f"Expected WAV files of {LOWEST_RATE} to {HIGHEST_RATE} samples a second. Received:",
        rate,
    )
    _expect(
        (seconds >= SHORTEST) & (seconds <= LONGEST),
        f"Expected WAV files of {SHORTEST:g} to {LONGEST:g} seconds. Received:",
        seconds,
    )
    return tf.clip_by_value(resample(tf.reduce_mean(channels, axis=1), rate, sample_rate), -1.0, 1.0)


def _expect(condition, message, received):
    return tf.debugging.Assert(condition, [message, received])


def _check_target(folder):
    """Refuse to replace a folder that holds anything but a SavedModel."""
    if not folder.is_dir():
        return
    others = sorted({path.name for path in folder.iterdir()} - _PARTS)
    if others:
        raise UserError(f"Expected a new folder, or a SavedModel to replace. {folder} holds {', '.join(others)}")
