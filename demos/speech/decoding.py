"""The settings of the search, and what they mean. Nothing heavy is imported here, as the command line tells them."""

import dataclasses
import math

from demos.speech.errors import UserError


def number(default, low, high, help):
    """A setting that is a number, with what the command line says of it."""
    return dataclasses.field(default=default, metadata={"limits": (low, high), "help": help})


@dataclasses.dataclass(frozen=True)
class DecodingConfig:
    """How to search for the text; see `keras_attn.BeamSearch`. What each number means is said as its help."""

    beam_width: int = number(8, 1, math.inf, "hypotheses kept by the search, 1 is greedy")
    n_best: int = number(1, 1, math.inf, "hypotheses that are returned, at most as many as are kept")
    ctc_weight: float = number(0.05, 0, 0.99, "share of the CTC output of the listener in the log probability, below 1")
    length_normalization: float = number(1.0, 0, math.inf, "the score is divided by the length to the power of this")
    min_length_ratio: float = number(0.0, 0, math.inf, "at least so many tokens for each frame of the listener")
    max_length_ratio: float = number(1.0, 1e-9, math.inf, "at most so many tokens for each frame of the listener")
    coverage_penalty: float = number(0.0, 0, math.inf, "price of what has not been attended to")
    end_threshold: float | None = number(
        None, 1e-9, math.inf, "a text may only end when the end is nearly as probable as going on; 1.5 is usual"
    )
    max_attention_shift: float | None = number(None, 0, math.inf, "seconds that the attention may leap at most")
    ensemble: tuple[str, ...] = ()  # paths of recognisers that are asked, too, see `loading.ensemble`
    language_models: tuple[str, ...] = ()  # paths of files, see `open_language_model`
    language_model_weight: float = number(0.3, 0, math.inf, "weight of the log probability of each language model")
    phrase_bonus: float = number(0.3, 0, math.inf, "what each token of a favoured phrase adds to the log probability")

    def to_dict(self):
        """What JSON gives back as it is."""
        lists = {"ensemble": list(self.ensemble), "language_models": list(self.language_models)}
        return dataclasses.asdict(self) | lists

    def __post_init__(self):
        if self.n_best > self.beam_width:
            raise UserError(f"Expected n_best of at most beam_width={self.beam_width}. Received: n_best={self.n_best}")
