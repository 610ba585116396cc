"""Two arms timed in turn on one machine: what a question about training time is answered from.

An arm is never trained to its end here. What is timed are blocks: epochs cut short after so many
steps, with all that an epoch does besides (drawing its order, scoring its outputs), and the start of a
validation. Both are scaled to the arm's images, epochs and validation set. The steps are those
of `train.take_step`, so that what is timed is what trials do. On the CPU a step has ended when
it returns: there is nothing to synchronise with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from time import perf_counter, process_time

import torch

from fairtrial.data.catalog import Dataset
from fairtrial.data.split import split
from fairtrial.engine import load
from fairtrial.engine.evaluate import Images, evaluate, evaluation_batch, score
from fairtrial.engine.machine import machine, processor
from fairtrial.engine.network import build
from fairtrial.engine.optimizers import optimizer as make_optimizer
from fairtrial.engine.train import images, take_step
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.study.training import rate_at
from fairtrial.trial import Trial
from fairtrial.wire import TimingOrder

BLOCK_STEPS = 200
"""A block is an epoch, or this many steps of it, or fewer where steps are long."""

TURN_SECONDS = 0.25
"""An arm is timed for at least this long in each of its two turns, in as many blocks as that takes."""

BLOCK_SECONDS = 0.5
"""A block has no more steps than fit into this, but one at least."""

VALIDATION_SECONDS = 0.1
"""Of the validation, as many whole batches as fit into this are timed, but one at least."""

WARM_UP_SECONDS = 0.2
"""Each arm trains for this long, and no fewer than two blocks, before anything counts."""

DEVICE = "cpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spent:
    """Seconds of blocks: in their steps, around their steps, and both by the processor's clock."""

    blocks: int = 0
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


class _Contender:
    """One arm of a pair: its network in training, and what its turns have taken so far."""

    def __init__(self, trial: Trial, training: Images) -> None:
        self.trial, self.training = trial, training
        settings = trial.arm.settings
        self.division = split(settings.data, seed=trial.seed)
        self.validation = torch.from_numpy(self.division.validation)
        self.network = build(trial.arm, seed=trial.seed)
        self.optimizer = make_optimizer(settings.optimizer, self.network.parameters())
        self.evaluated_at_once = evaluation_batch(trial.arm)
        self.epochs_begun = 0
        self.block_steps = 1
        self.step_seconds = 0.0
        self.validated = self.evaluated_at_once
        self.spent = _Spent()
        self.validating = 0.0
        self.validated_images = 0

    def warm_up(self) -> None:
        """Train unclocked until everything is in its place, and find out how long a block may be."""
        longest = min(self.trial.arm.steps_per_epoch, BLOCK_STEPS)
        steps, blocks, began = 1, 0, perf_counter()
        while blocks < 2 or perf_counter() - began < WARM_UP_SECONDS:
            block = self._block(steps)
            steps, blocks = min(2 * steps, longest), blocks + 1
            self.step_seconds = block.stepping / block.steps
            # A block that is long by itself is no reason for a longer one.
            if 2 * block.stepping > WARM_UP_SECONDS:
                steps = block.steps
        self.block_steps = max(1, min(longest, int(BLOCK_SECONDS / self.step_seconds)))
        self._validate()
        batch_seconds = self._validate()
        self.validated = self.evaluated_at_once * max(1, int(VALIDATION_SECONDS / batch_seconds))

    def turn(self) -> None:
        """One turn: blocks for TURN_SECONDS, then a validation."""
        # The caches hold the other arm's weights; in a training of its own they would hold this one's.
        if self.step_seconds < TURN_SECONDS:
            self._block(1)
        timed = _Spent()
        while timed.seconds < TURN_SECONDS:
            timed += self._block(self.block_steps)
        self.spent += timed
        self.validating += self._validate()
        self.validated_images += min(self.validated, len(self.validation))

    def times(self) -> ArmTimes:
        """What all turns so far come to for a whole training."""
        settings = self.trial.arm.settings
        spent = self.spent
        epoch = spent.around / spent.blocks + spent.stepping / spent.images * settings.data.train_count
        validation = self.validating / self.validated_images * len(self.validation)
        return ArmTimes(
            arm_key=self.trial.arm_key,
            arm_name=self.trial.arm.name,
            train_seconds=epoch * settings.epochs,
            fit_seconds=(epoch + validation) * settings.epochs,
            process_seconds=epoch * settings.epochs * spent.process / spent.seconds,
            timed_steps=spent.steps,
            timed_seconds=spent.seconds,
        )

    def _block(self, steps: int) -> _Spent:
        """An epoch cut short after `steps` steps."""
        settings, per_epoch = self.trial.arm.settings, self.trial.arm.steps_per_epoch
        epoch = 1 + self.epochs_begun % settings.epochs
        self.epochs_begun += 1
        rate, bfloat16 = settings.optimizer.learning_rate, self.trial.precision == "bfloat16"
        process_began, began = process_time(), perf_counter()
        order = torch.from_numpy(self.division.epoch_order(epoch))
        outputs = torch.zeros(len(order), settings.data.facts.classes)
        batches = order.split(settings.batch_size)[:steps]
        self.network.start_epoch(epoch)
        stepping_began = perf_counter()
        for step, chosen in enumerate(batches):
            done = (epoch - 1) * per_epoch + step
            outputs[step * settings.batch_size :][: len(chosen)] = take_step(
                self.network,
                self.optimizer,
                self.training,
                chosen,
                rate=rate
                if isinstance(rate, float)
                else rate_at(rate, step=done, steps_per_epoch=per_epoch, epochs=settings.epochs),
                bfloat16=bfloat16,
            )
        stepping = perf_counter() - stepping_began
        score(outputs, self.training.labels[order])
        return _Spent(
            blocks=1,
            steps=len(batches),
            images=sum(map(len, batches)),
            stepping=stepping,
            around=perf_counter() - began - stepping,
            process=process_time() - process_began,
        )

    def _validate(self) -> float:
        """Seconds it takes to evaluate as much of the validation set as is timed."""
        began = perf_counter()
        evaluate(
            self.network,
            self.training,
            self.validation[: self.validated],
            batch_size=self.evaluated_at_once,
            bfloat16=self.trial.precision == "bfloat16",
        )
        return perf_counter() - began


def time_pair(
    order: TimingOrder,
    data: Callable[[str], Dataset],
    *,
    provenance: dict[str, str],
    read: Callable[[], load.Reading] = load.read,
) -> PairTimes:
    """Time the two arms in turn: first, second, second, first, so that a drift meets both alike.

    Both are warmed up before. `data` opens a data set by its name; `read` tells the machine's clocks.
    """
    began = perf_counter()
    contenders = [_Contender(trial, _training(trial, data)) for trial in (order.first, order.second)]
    first, second = contenders
    for contender in contenders:
        contender.warm_up()
    before = read()
    for contender in (first, second, second, first):
        contender.turn()
    after = read()
    return PairTimes(
        seed=order.first.seed,
        first=first.times(),
        second=second.times(),
        machine=machine(),
        processor=processor(),
        device=DEVICE,
        load_average=before.average,
        other_load=load.other_load(before, after),
        seconds=perf_counter() - began,
        provenance=provenance,
    )


def _training(trial: Trial, data: Callable[[str], Dataset]) -> Images:
    opened = data(trial.arm.settings.data.dataset)
    return images(opened.train_images, opened.train_labels)
