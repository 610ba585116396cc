"""What happened: the one place that knows SQL."""

from __future__ import annotations

from fairtrial.store.claims import Claim, Holder, Known, StaleClaim, Taken
from fairtrial.store.descriptions import Description
from fairtrial.store.outcomes import Attempt
from fairtrial.store.pairs import StoredPair
from fairtrial.store.plans import StoredLook, StoredPlan, StoredVerdict
from fairtrial.store.proposals import Proposal, Selection
from fairtrial.store.store import Store
from fairtrial.store.stored import without_search_for_cycles

__all__ = [
    "Attempt",
    "Claim",
    "Description",
    "Holder",
    "Known",
    "Proposal",
    "Selection",
    "StaleClaim",
    "Store",
    "StoredLook",
    "StoredPair",
    "StoredPlan",
    "StoredVerdict",
    "Taken",
    "without_search_for_cycles",
]
