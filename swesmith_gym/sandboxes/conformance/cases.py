"""All cases of the suite, in the order of the list of faults."""

from __future__ import annotations

from swesmith_gym.sandboxes.conformance import files, network, privileges, resources, streams, times
from swesmith_gym.sandboxes.conformance.case import Case

CASES: tuple[Case, ...] = (
    *resources.CASES,
    *times.CASES,
    *streams.CASES,
    *files.CASES,
    *network.CASES,
    *privileges.CASES,
)
