"""What is measured."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Who runs: a function of `contestants/<module>.py` with options, in an environment (None: the one in use)."""

    module: str
    function: str
    options: dict
    environment: str | None = None
    variables: dict = dataclasses.field(default_factory=dict)  # of the process

    @classmethod
    def on_backend(cls, backend, module, function, options):
        """One that runs on a backend of Keras."""
        environment = None if backend == "tensorflow" else "backends"
        return cls(module, function, options, environment, {"KERAS_BACKEND": backend})


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Ours against a peer, on the same work.

    `goal` and `memory_goal` are the ratios, ours to the peer's, that are aimed at; `peer_name` is what the table says.
    With `together`, each of so many processes runs both, and the rounds are divided among them: processes differ by
    several percent for as long as they live, more than work that is nearly the same does.
    """

    name: str
    work: str
    ours: Contestant
    peer: Contestant | None = None
    peer_name: str = "none"
    goal: float | None = None
    memory_goal: float | None = None
    together: int = 0


@dataclasses.dataclass(frozen=True)
class Growth:
    """Ours alone, while the option `changed` takes the `values`; `goal` is the exponent that is aimed at."""

    name: str
    work: str
    ours: Contestant
    changed: str
    values: tuple[int, ...]
    goal: float | None = None
