"""Two arms timed in turn on one machine: what a question about training time is answered from.

An arm is never trained to its end here. What is timed are blocks of steps in epochs that are cut short, all
that an epoch does besides (drawing its order, scoring its outputs), the moving of an epoch's images where the arm
augments them, and a part of a validation. They are scaled to the arm's images, epochs and validation set. The
learner is the one that trials train with, so that what is timed is what trials do. On the processor a step has ended
when it returns; a CUDA device is waited for at the end of each block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from time import perf_counter, process_time

import torch

from fairtrial.data import catalog
from fairtrial.data.catalog import Dataset
from fairtrial.data.split import split
from fairtrial.engine import load
from fairtrial.engine.augmented import TrainingImages
from fairtrial.engine.device import device_of, name_of, one_thread, wait
from fairtrial.engine.evaluate import Images, Prepared, evaluate, evaluation_batch, prepared, score
from fairtrial.engine.network import build
from fairtrial.engine.train import images, learner_of
from fairtrial.engine.turns import in_turn
from fairtrial.images.facts import DatasetFacts
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.trial import Trial
from fairtrial.wire import TimingOrder

BLOCK_STEPS = 200
"""A block is an epoch, or this many steps of it, or fewer where steps are long (BLOCK_SECONDS)."""

TURN_SECONDS = 0.25
"""An arm is timed for at least this long in each of its two turns, in as many blocks as that takes."""

FEW_STEPS = 10
"""An epoch of no more steps than this is timed from its first one on: such steps are long, or all there is."""

BLOCK_SECONDS = 0.5
"""A block has no more steps than fit into this, but one at least."""

VALIDATION_SECONDS = 0.1
"""Of the validation, as many whole batches as fit into this are timed, but one at least."""

AUGMENT_SECONDS = 0.1
"""The images of as many epochs are moved in a turn as fit into this, but of one at least."""

WARM_UP_SECONDS = 0.2
"""Each arm trains for this long, and no fewer than two blocks, before anything counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """Seconds of epochs begun: in their blocks of steps, around them, and both by the processor's clock."""

    epochs: int = 0
    steps: int = 0
    images: int = 0
    stepping: float = 0.0
    around: float = 0.0
    process: float = 0.0

    def __add__(self, other: _Spent) -> _Spent:
        return _Spent(
            **{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        )

    @property
    def seconds(self) -> float:
        return self.stepping + self.around


class EngineContender:
    """One arm of a pair: its network in training, and what its turns have taken so far."""

    def __init__(self, trial: Trial, originals: Images) -> None:
        self.trial = trial
        arm = trial.arm
        self.where = device_of(arm)
        self.originals = originals.to(self.where)
        self.training = TrainingImages(
            originals, arm.settings.data.augment, seed=trial.number, device=self.where
        )
        self.bfloat16 = trial.precision == "bfloat16"
        self.division = split(arm.settings.data, seed=trial.number)
        self.network = build(arm, seed=trial.number).to(self.where)
        self.learner = learner_of(arm, self.network, self.training.images, bfloat16=self.bfloat16)
        self.epochs_begun = 0
        self.block_steps = 1
        self.step_seconds = 0.0
        self.validation = self._prepared(evaluation_batch(arm))
        self.spent = _Spent()
        self.augmenting: list[float] = []
        self.validating: list[float] = []

    @property
    def device(self) -> str:
        return name_of(self.where)

    def warm_up(self) -> None:
        """Train unclocked until everything is in its place, and find out how long a block may be."""
        self._augment()
        longest = min(self.trial.arm.steps_per_epoch, BLOCK_STEPS)
        blocks, began = 0, perf_counter()
        while blocks < 2 or perf_counter() - began < WARM_UP_SECONDS:
            warm = self._epoch(0.0)
            self.step_seconds = warm.stepping / warm.steps
            blocks += 1
            # A block that is long by itself is no reason for a longer one.
            if 2 * warm.stepping < WARM_UP_SECONDS:
                self.block_steps = min(2 * self.block_steps, longest)
        self.block_steps = max(1, min(longest, int(BLOCK_SECONDS / self.step_seconds)))
        self._validate()
        batches = max(1, int(VALIDATION_SECONDS / self._validate()))
        self.validation = self._prepared(batches * evaluation_batch(self.trial.arm))

    def turn(self) -> None:
        """One turn: images moved, epochs for TURN_SECONDS, the last of them cut short, and then a validation."""
        self.augmenting.append(self._augment())
        timed = self._epoch(TURN_SECONDS, first=True)
        while timed.seconds < TURN_SECONDS:
            timed += self._epoch(TURN_SECONDS - timed.seconds)
        self.spent += timed
        self.validating.append(self._validate())

    def times(self) -> ArmTimes:
        """What all turns so far come to for a whole training."""
        settings, spent = self.trial.arm.settings, self.spent
        epoch = spent.around / spent.epochs + spent.stepping / spent.images * settings.data.train_count
        epoch += sum(self.augmenting) / len(self.augmenting)
        share = len(self.validation.labels) / len(self.division.validation)
        validation = sum(self.validating) / len(self.validating) / share
        return ArmTimes(
            arm_key=self.trial.arm_key,
            arm_name=self.trial.arm.name,
            train_seconds=epoch * settings.epochs,
            fit_seconds=(epoch + validation) * settings.epochs,
            process_seconds=epoch * settings.epochs * spent.process / spent.seconds,
            timed_steps=spent.steps,
            timed_seconds=spent.seconds,
        )

    def _epoch(self, seconds: float, *, first: bool = False) -> _Spent:
        """An epoch, cut short after the block in which `seconds` have passed.

        The `first` of a turn begins with a step that is not counted: the caches still hold the other arm's
        weights, as they never do in a training.
        """
        settings, per_epoch = self.trial.arm.settings, self.trial.arm.steps_per_epoch
        uncounted = 1 if first and per_epoch > FEW_STEPS else 0
        epoch = 1 + self.epochs_begun % settings.epochs
        self.epochs_begun += 1
        process_began, began = process_time(), perf_counter()
        order = torch.from_numpy(self.division.epoch_order(epoch)).to(self.where)
        outputs = torch.zeros(len(order), settings.data.facts.classes, device=self.where)
        self.learner.start_epoch(epoch)

        def train(begin: int, end: int) -> float:
            stretch = slice(begin * settings.batch_size, end * settings.batch_size)
            stretch_began = perf_counter()
            self.learner.train(order[stretch], outputs[stretch])
            wait(self.where)
            return perf_counter() - stretch_began

        left_out_process = process_time()
        left_out = train(0, uncounted) if uncounted else 0.0
        left_out_process = process_time() - left_out_process
        stepping, done = 0.0, uncounted
        while done == uncounted or (done < per_epoch and perf_counter() - began - left_out < seconds):
            end = min(done + self.block_steps, per_epoch)
            stepping += train(done, end)
            done = end
        self.learner.settle()
        score(outputs, self.originals.labels[order])
        return _Spent(
            epochs=1,
            steps=done - uncounted,
            images=min(done * settings.batch_size, len(order)) - uncounted * settings.batch_size,
            stepping=stepping,
            around=perf_counter() - began - stepping - left_out,
            process=process_time() - process_began - left_out_process,
        )

    def _augment(self) -> float:
        """Seconds it takes to move the images of an epoch: the mean over as many epochs as are timed."""
        if not self.training.augment.moves:
            return 0.0
        order = torch.from_numpy(self.division.epoch_order(1))
        epochs, began = 0, perf_counter()
        while epochs == 0 or perf_counter() - began < AUGMENT_SECONDS:
            epochs += 1
            self.training.start_epoch(epochs, order)
        return (perf_counter() - began) / epochs

    def _prepared(self, images: int) -> Prepared:
        """So many of the validation images, ready to be judged by."""
        chosen = torch.from_numpy(self.division.validation[:images]).to(self.where)
        return prepared(self.originals, chosen, batch_size=evaluation_batch(self.trial.arm))

    def _validate(self) -> float:
        """Seconds it takes to evaluate as much of the validation set as is timed."""
        began = perf_counter()
        evaluate(self.network, self.validation, bfloat16=self.bfloat16)
        return perf_counter() - began


def time_pair(
    order: TimingOrder,
    data: Callable[[DatasetFacts], Dataset],
    *,
    provenance: dict[str, str],
    read: Callable[[], load.Reading] = load.read,
) -> PairTimes:
    """Time the two arms in turn: first, second, second, first, so that a drift meets both alike.

    Both are warmed up before. `data` opens a data set by its name; `read` tells the machine's clocks.
    """
    began = perf_counter()
    first, second = (EngineContender(trial, _training(trial, data)) for trial in (order.first, order.second))
    return in_turn(order.first.number, first, second, began=began, provenance=provenance, read=read)


def engine_contender(trial: Trial) -> EngineContender:
    """One of our arms to be timed against something else, in a process that has not trained anything yet."""
    one_thread()
    return EngineContender(trial, _training(trial, catalog.load))


def _training(trial: Trial, data: Callable[[DatasetFacts], Dataset]) -> Images:
    opened = data(trial.arm.settings.data.facts)
    return images(opened.train_images, opened.train_labels)
