"""Listen, Attend and Spell: from a waveform to text, with its losses for training."""

import dataclasses

import keras
from keras import ops

from demos.speech import vocabularies
from demos.speech.config import FeatureConfig, ListenerConfig, SpellerConfig
from demos.speech.deltas import deltas
from demos.speech.features import LogMel
from demos.speech.listener import Listener
from demos.speech.losses import ctc_per_token, smoothed_cross_entropy, token_accuracy
from demos.speech.normalization import FeatureNormalization, scale_to_peak, subtract_mean
from demos.speech.spec_augment import SpecAugment
from demos.speech.speller import Speller
from keras_attn.losses import guided_attention_loss


@keras.saving.register_keras_serializable(package="keras_attn.speech")
class ListenAttendSpell(keras.Model):
    """Waveform to characters: log-mel features, listener, speller; a CTC output on the listener helps it to align.

    Everything that recognition needs is inside: sample rate, statistics of the features, vocabulary.

    Args:
        vocabulary: `Tokens`, or their dict.
        features, listener, speller: configurations, or their dicts.
        spec_augment: arguments of `SpecAugment`, a dict.
        ctc_weight: share of the CTC loss.
        label_smoothing: share of the probability spread over all tokens in the target of the speller.
        guided_attention: weight of the loss that leads attention to the diagonal.
        use_cudnn: as for `Listener`.

    Call arguments: a dict of
        waveform: `(batch, samples)` in [-1, 1].
        num_samples: int32 `(batch,)`.
        tokens: int32 `(batch, length)`, padded with `<end>`: the text, for teacher forcing.
        num_tokens: int32 `(batch,)`.

    Returns: a dict of
        logits: `(batch, length + 1, vocabulary)`, of each token and of the end.
        alignment: `(batch, length + 1, frames)`.
        ctc_logits: `(batch, frames, vocabulary)`.
        mask: bool `(batch, frames)`.
    """

    def __init__(
        self,
        vocabulary,
        features=None,
        listener=None,
        speller=None,
        spec_augment=None,
        ctc_weight=0.3,
        label_smoothing=0.1,
        guided_attention=0.0,
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary = vocabularies.from_dict(vocabulary) if isinstance(vocabulary, dict) else vocabulary
        self.features_config = _of(FeatureConfig, features or {"sample_rate": 16000})
        self.listener_config = _of(ListenerConfig, listener or {})
        self.speller_config = _of(SpellerConfig, speller or {})
        self.spec_augment_config = dict(spec_augment or {})
        self.ctc_weight = ctc_weight
        self.label_smoothing = label_smoothing
        self.guided_attention = guided_attention
        self.use_cudnn = use_cudnn
        self._make_layers()
        self._build_layers()

    def _make_layers(self):
        features, listener, speller = self.features_config, self.listener_config, self.speller_config
        sizes = {name: getattr(features, name) for name in ("sample_rate", "bands", "window", "hop", "floor")}
        self.log_mel = LogMel(**sizes, name="log_mel")
        self.normalization = FeatureNormalization(name="normalization")
        self.spec_augment = SpecAugment(**self.spec_augment_config, name="spec_augment")
        self.listener = Listener(**dataclasses.asdict(listener), use_cudnn=self.use_cudnn, name="listener")
        self.ctc = keras.layers.Dense(len(self.vocabulary), dtype="float32", name="ctc")
        self.speller = Speller(len(self.vocabulary), **dataclasses.asdict(speller), name="speller")
        self.loss_means = {name: keras.metrics.Mean(name=name) for name in ("speller_loss", "ctc_loss", "accuracy")}

    def _build_layers(self):
        encoded = (None, None, self.listener.output_dim)
        self.normalization.build((None, None, self.features_config.bands))
        self.listener.build((None, None, self.features_config.bands))
        self.ctc.build(encoded)
        self.speller.build((None, None), encoded)
        self.built = True

    @property
    def frame_grid(self):
        """Where the encoder frames lie: `frame_duration`, and `offset`, the start of the first one, in seconds."""
        grid = self.log_mel.frame_grid
        return grid | {"frame_duration": self.listener_config.reduction * grid["frame_duration"]}

    def frame_times(self, num_frames):
        """Times in seconds of the middles of the encoder frames `0 .. num_frames - 1`."""
        grid = self.frame_grid
        frames = ops.cast(ops.arange(num_frames, dtype="int32"), "float32")
        return grid["offset"] + grid["frame_duration"] * (frames + 0.5)

    def hear(self, waveform, num_samples):
        """Log-mel features `(batch, frames, bands)` and their mask."""
        if self.features_config.scale_to_peak:
            waveform = scale_to_peak(waveform, num_samples)
        return self.log_mel(waveform, num_samples)

    def level(self, log_mel, mask, voice=None):
        """What `hear` returns without the mean of each utterance, if the settings say so, or as of a `Voice`."""
        if voice is not None:
            return voice.level(log_mel, mask)
        return subtract_mean(log_mel, mask) if self.features_config.subtract_mean else log_mel

    def features(self, waveform, num_samples):
        """What `listen` takes."""
        log_mel, mask = self.hear(waveform, num_samples)
        return self.level(log_mel, mask), mask

    def listen(self, features, mask, training=None, jit_compile=False):
        """Encode levelled features `(batch, frames, bands)`: `(batch, encoder frames, dim)`, and its mask."""
        features = self.spec_augment(self.normalization(features, mask), mask, training=training)
        if self.features_config.delta_window:
            features = deltas(features, mask, self.features_config.delta_window)
        return self.listener(features, mask, training=training, jit_compile=jit_compile)

    def call(self, inputs, training=None):
        encoded, mask = self.listen(*self.features(inputs["waveform"], inputs["num_samples"]), training)
        tokens = ops.pad(inputs["tokens"], [[0, 0], [1, 0]], constant_values=self.vocabulary.start)
        logits, alignment = self.speller(tokens, encoded, mask, training=training)
        return {"logits": logits, "alignment": alignment, "ctc_logits": self.ctc(encoded), "mask": mask}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """`(1 - ctc_weight) speller_loss + ctc_weight ctc_loss`, both in nats per token, and guided attention."""
        tokens, num_tokens = x["tokens"], ops.cast(x["num_tokens"], "int32")
        targets = ops.pad(tokens, [[0, 0], [0, 1]], constant_values=self.vocabulary.end)
        real = ops.arange(ops.shape(targets)[1], dtype="int32") <= num_tokens[:, None]
        num_frames = ops.sum(ops.cast(y_pred["mask"], "int32"), axis=1)
        speller = smoothed_cross_entropy(targets, y_pred["logits"], real, self.label_smoothing)
        ctc = ctc_per_token(tokens, num_tokens, y_pred["ctc_logits"], num_frames, self.vocabulary.blank)
        weight = ops.cast(ops.sum(num_tokens), "float32")
        accuracy = token_accuracy(targets, y_pred["logits"], real)
        for name, value in {"speller_loss": speller, "ctc_loss": ctc, "accuracy": accuracy}.items():
            self.loss_means[name].update_state(value, sample_weight=weight)
        loss = (1 - self.ctc_weight) * speller + self.ctc_weight * ctc
        if self.guided_attention:
            away = guided_attention_loss(y_pred["alignment"], real, y_pred["mask"])
            loss += self.guided_attention * ops.mean(away)
        return loss

    def get_config(self):
        return super().get_config() | {
            "vocabulary": self.vocabulary.to_dict(),
            "features": dataclasses.asdict(self.features_config),
            "listener": dataclasses.asdict(self.listener_config),
            "speller": dataclasses.asdict(self.speller_config),
            "spec_augment": self.spec_augment_config,
            "ctc_weight": self.ctc_weight,
            "label_smoothing": self.label_smoothing,
            "guided_attention": self.guided_attention,
            "use_cudnn": self.use_cudnn,
        }


def _of(cls, value):
    return cls(**value) if isinstance(value, dict) else value
