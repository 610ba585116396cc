"""The trials of a search: proposed, begun where their hurdles are known, taken when they end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from fairtrial.analysis.gather import trial_of
from fairtrial.analysis.points import Point, baseline_point, in_words, points
from fairtrial.dispatch import Dispatch, Ended, Executor
from fairtrial.searching.halving import hurdles
from fairtrial.searching.proposing import propose
from fairtrial.store import Claim, Proposal, Selection, Store, Taken
from fairtrial.study.schema import Arm, Study
from fairtrial.study.searches import Search
from fairtrial.trial import Event, Lost, Outcome, Progress, Trial

_GRACE = 0.1
"""Share of a phase by which a trial may overrun it rather than be thrown away."""

_OTHERS_SECONDS = 0.5


@dataclass(slots=True, kw_only=True)
class Phase:
    """A part of a search's time: nothing begins after `deadline`, nothing goes on beyond `end`."""

    deadline: float
    end: float

    @classmethod
    def lasting(cls, seconds: float) -> Phase:
        now = time.monotonic()
        return cls(deadline=now + seconds, end=now + seconds * (1 + _GRACE))


@dataclass(slots=True, kw_only=True)
class Training:
    """What one call of a search knows and has on its way."""

    study: Study
    search: Search
    key: str
    store: Store
    executor: Executor
    dispatch: Dispatch
    on_event: Callable[[Event], None]
    on_begin: Callable[[Trial, str], None]
    points: tuple[Point, ...] = ()
    baseline: Point
    arms: dict[int, Arm] = field(default_factory=dict[int, Arm])
    """The arm of each proposal, made once."""
    proposals: dict[str, int] = field(default_factory=dict[str, int])
    """The number of the proposal whose first seed is running, by the trial's key."""
    scores: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])
    """Validation scores of running trials, by epoch."""
    given_up: set[str] = field(default_factory=set[str])
    too_slow: set[str] = field(default_factory=set[str])
    seconds: list[float] = field(default_factory=list[float])
    exhausted: bool = False
    """Whether the space has no further point."""
    trained: int = 0
    stopped: int = 0

    def read(self) -> None:
        """Look again at what is stored, by whomever."""
        self.points = points(self.study, self.search, self.store, arms=self.arms)
        self.baseline = baseline_point(self.study, self.search, self.store)

    def begin(self, arm: Arm, seed: int, phase: Phase, *, number: int | None = None) -> bool:
        """Begin a trial if a worker is free and the time will do; False if another process is training it.

        The first seed of proposal `number` is stopped at a hurdle set by all that is known of the others.
        """
        trial = trial_of(arm, seed)
        if trial.key in self.dispatch.running or trial.key in self.given_up or not self.room(phase):
            return True
        others = [] if number is None else [point for point in self.points if point.number != number]
        bounds = hurdles(self.search, others, epochs=arm.settings.epochs)
        claim = self.dispatch.start(trial, hurdles=bounds, retell=True)
        if isinstance(claim, Claim):
            self.on_begin(trial, self._about(arm))
            self.scores[trial.key] = {}
            if number is not None:
                self.proposals[trial.key] = number
        return not isinstance(claim, Taken)

    def _about(self, arm: Arm) -> str:
        """What the arm is, in the words of the space."""
        known = next((point for point in self.points if point.arm.name == arm.name), None)
        return "the baseline" if known is None else in_words(self.search, known)

    def room(self, phase: Phase) -> bool:
        """Whether a worker is free, and a trial begun now is likely to end in time as far as earlier ones tell."""
        usual = sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else 0.0
        return self.executor.free > 0 and time.monotonic() + usual < phase.deadline

    def propose(self, phase: Phase) -> bool:
        """Propose one more point and begin it; False if there is none."""
        number = len(self.points)
        made = propose(
            self.search,
            self.study.arms[self.search.baseline],
            self.points,
            key=self.key,
            number=number,
        )
        if made is None:
            self.exhausted = True
            return False
        values, arm = made
        key = trial_of(arm, 1).arm_key
        if self.store.propose(Proposal(search=self.key, number=number, parameters=values, arm_key=key)):
            self.points += (Point(number=number, arm=arm, values=values, metric=self.search.metric),)
            self.begin(arm, 1, phase, number=number)
        # Read again: another process may have been faster, or the store knew the outcome already.
        self.read()
        return True

    def frozen(self) -> Selection | None:
        """What this search has chosen, here or in another process."""
        return self.store.selection(study=self.study.name, question=self.search.id, basis=self.key)

    def out(self, point: Point) -> bool:
        """Whether one of its seeds failed for good."""
        return any(trial_of(point.arm, seed).key in self.given_up for seed in range(1, point.seeds + 2))

    def until_done(self, refill: Callable[[], bool], phase: Phase) -> None:
        """Keep workers busy until `refill` begins nothing more and nothing runs, or the phase is over.

        `refill` tells whether another process is at something that is worth waiting for.
        """
        while True:
            waiting = refill()
            for event in self._events(phase):
                if isinstance(event, Outcome | Lost):
                    waiting = refill()
            if not waiting or time.monotonic() > phase.deadline:
                return
            time.sleep(_OTHERS_SECONDS)

    def _events(self, phase: Phase) -> Iterator[Event]:
        for event in self.executor.events():
            self.on_event(self._take(event))
            yield event
            self._stop_overdue(phase)

    def _stop_overdue(self, phase: Phase) -> None:
        """End what goes on beyond the phase, another call begins with it; and what takes too long, for good."""
        now = time.monotonic()
        for key, running in list(self.dispatch.running.items()):
            slow = key in self.proposals and now - running.began > self.search.longest_seconds
            if slow:
                self.too_slow.add(key)
            if slow or now > phase.end:
                self.executor.stop(key)

    def _take(self, event: Event) -> Event:
        if isinstance(event, Progress):
            accuracy = self.search.metric == "accuracy"
            score = event.record.validation_accuracy if accuracy else event.record.validation_loss
            if not math.isnan(score):  # a command need not tell it after every epoch
                self.scores[event.key][event.record.epoch] = score
        ended = self.dispatch.take(event)
        if ended is None:
            return event
        self._note(ended)
        return replace(event, retry=False) if isinstance(event, Lost) and ended.given_up else event

    def _note(self, ended: Ended) -> None:
        number = self.proposals.pop(ended.trial.key, None)
        scores = self.scores.pop(ended.trial.key)
        if isinstance(ended.event, Outcome):
            self.trained += 1
            self.seconds.append(ended.seconds)
        elif ended.given_up:
            self.given_up.add(ended.trial.key)
            if number is not None:
                self._stop(number, ended.trial, {})
        elif number is not None and (not ended.event.retry or ended.trial.key in self.too_slow):
            self._stop(number, ended.trial, scores)
            self.stopped += 1

    def _stop(self, number: int, trial: Trial, scores: dict[int, float]) -> None:
        """The proposal is not taken up again."""
        self.store.stop_proposal(self.key, number, [scores[epoch] for epoch in sorted(scores)])
        self.store.checkpoint_path(trial.key).unlink(missing_ok=True)
