"""What a benchmark is."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Who runs: a function of `contestants/<module>.py` with options, in an environment (None: the one in use)."""

    module: str
    function: str
    options: dict
    environment: str | None = None
    variables: dict = dataclasses.field(default_factory=dict)  # of the process


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Ours against a peer, on the same work.

    `goal` and `memory_goal` are the ratios, ours to the peer's, that are aimed at; `peer_name` is what the table says.
    """

    name: str
    work: str
    ours: Contestant
    peer: Contestant | None = None
    peer_name: str = "none"
    goal: float | None = None
    memory_goal: float | None = None
