"""The ordinary way to train: a batch through torch, its gradients, an update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch.nn import functional

from fairtrial.engine.device import CPU, products
from fairtrial.engine.evaluate import Images
from fairtrial.engine.network import Network
from fairtrial.engine.optimizers import State
from fairtrial.engine.optimizers import optimizer as make_optimizer
from fairtrial.study.schema import Arm
from fairtrial.study.training import rate_at

if TYPE_CHECKING:
    from jaxtyping import Float, Int64
    from torch import Tensor


class Learner(Protocol):
    """What moves a network's weights: the training loop knows it by this alone."""

    def start_epoch(self, epoch: int) -> None:
        """Begin epoch number `epoch`, counted from 1, at its first step."""
        ...

    def train(self, order: Int64[Tensor, " n"], logits: Float[Tensor, "n classes"]) -> None:
        """Step through the images of `order`; `logits` gets what the network said before each update."""
        ...

    def settle(self) -> None:
        """See that the network has its weights: before they are read."""
        ...

    def state(self) -> State:
        """All that later steps depend on besides the settled weights; the tensors are live."""
        ...

    def load_state(self, state: State) -> None:
        """Go on from a `state` of the same learner, with the weights the network has now."""
        ...


def learning_rate(arm: Arm, step: int) -> float:
    """The learning rate of step number `step`, counted from 0 over all epochs."""
    rate, epochs = arm.settings.optimizer.learning_rate, arm.settings.epochs
    if isinstance(rate, float):
        return rate
    return rate_at(rate, step=step, steps_per_epoch=arm.steps_per_epoch, epochs=epochs)


class Batched:
    """Gradient descent by an optimiser on batches of the arm's size."""

    def __init__(self, arm: Arm, network: Network, images: Images, *, bfloat16: bool) -> None:
        self.arm, self.network, self.images, self.bfloat16 = arm, network, images, bfloat16
        self.device = images.labels.device
        # Rounded copies are moved by a loop of ours, which the processor alone runs; elsewhere autocast rounds.
        copies = network.round() if bfloat16 and self.device == CPU else {}
        self.optimizer = make_optimizer(arm.settings.optimizer, network.parameters(), copies=copies)
        self.done = 0

    def start_epoch(self, epoch: int) -> None:
        self.done = (epoch - 1) * self.arm.steps_per_epoch
        self.optimizer.round()
        self.network.start_epoch(epoch)

    def train(self, order: Int64[Tensor, " n"], logits: Float[Tensor, "n classes"]) -> None:
        network, optimizer, size = self.network, self.optimizer, self.arm.settings.batch_size
        for at, chosen in enumerate(order.split(size)):
            with products(self.device, bfloat16=self.bfloat16):
                said = network(self.images.batch(chosen))
            loss = functional.cross_entropy(said.float(), self.images.labels.index_select(0, chosen))
            loss.backward()
            optimizer.step(learning_rate(self.arm, self.done))
            optimizer.zero_grad()
            # Metrics come from these once an epoch: reading one here would stall every step.
            logits[at * size :][: len(chosen)] = said.detach()
            self.done += 1

    def settle(self) -> None:
        """The network's weights are the ones that are trained."""

    def state(self) -> State:
        return self.optimizer.state()

    def load_state(self, state: State) -> None:
        self.optimizer.load_state(state)
