"""The settings of a language model. Nothing heavy is imported here, as the command line tells them."""

import dataclasses
import math

from demos.speech.decoding import number


@dataclasses.dataclass(frozen=True)
class LanguageModelConfig:
    """What to train, and how. What each number means is said as its help."""

    embedding: int = number(64, 1, math.inf, "size of the vector of a token")
    units: int = number(256, 1, math.inf, "units of the LSTM")
    dropout: float = number(0.2, 0, 0.99, "share of the vectors and of the outputs left out in training")
    epochs: int = number(20, 1, math.inf, "at most so many passes over the text")
    patience: int = number(2, 1, math.inf, "training ends after so many epochs without a lower perplexity")
    batch_size: int = number(32, 1, math.inf, "sentences a step")
    learning_rate: float = number(2e-3, 1e-9, math.inf, "of the optimizer, Adam")
    seed: int = number(0, 0, 2**32 - 1, "of all random numbers")
