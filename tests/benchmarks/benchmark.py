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
    The rounds are divided among so many `processes` of each: of work that is the same and takes a millisecond or two,
    it is where the arrays happen to lie that makes a difference of several percent, as long as a process lives.
    """

    name: str
    work: str
    ours: Contestant
    peer: Contestant | None = None
    peer_name: str = "none"
    goal: float | None = None
    memory_goal: float | None = None
    processes: int = 1


@dataclasses.dataclass(frozen=True)
class Growth:
    """Ours alone, while the option `changed` takes the `values`; `goal` is the exponent that is aimed at."""

    name: str
    work: str
    ours: Contestant
    changed: str
    values: tuple[int, ...]
    goal: float | None = None
