"""The settings of self-training. Nothing heavy is imported here, as the command line tells them."""

import dataclasses
import math

from demos.speech.decoding import number


@dataclasses.dataclass(frozen=True)
class SelfTrainingConfig:
    """How a recogniser goes on learning. What each number means is said as its help."""

    rounds: int = number(4, 1, math.inf, "times that it writes the texts and learns from them")
    epochs: int = number(6, 1, math.inf, "passes over the recordings in each round")
    learning_rate: float = number(3e-4, 1e-9, math.inf, "its highest value")
