"""Which executor was asked for: this machine, or a Ray cluster by its address."""

from __future__ import annotations

from dataclasses import dataclass

from fairtrial.errors import ExecutorError
from fairtrial.executors import local
from fairtrial.executors.cluster import Share, check_room
from fairtrial.executors.remote import ClusterExecutor

LOCAL, RAY = "local", "ray"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where trials are to run: `local`, `ray` or `ray://HOST:PORT`, with what was said of workers and shares."""

    name: str = LOCAL
    workers: int | None = None
    cpus: float | None = None
    gpus: float | None = None

    def ready(self) -> local.LocalExecutor | ClusterExecutor:
        """The executor, to be closed after use.

        Raises ExecutorError for a name that is none, for shares asked of this machine, and where the cluster cannot
        be reached or has no room for a single trial.
        """
        if self.name == LOCAL:
            if self.cpus is not None or self.gpus is not None:
                raise ExecutorError(
                    "on this machine every trial has a core to itself: --cpus-per-trial and --gpus-per-trial are for "
                    "--executor ray"
                )
            return local.LocalExecutor(workers=self.workers)
        if self.name != RAY and not self.name.startswith(f"{RAY}://"):
            raise ExecutorError(
                f"there is no executor {self.name!r}; there is local (this machine), ray (the cluster that RAY_ADDRESS "
                "or a `ray start` on this machine names) and ray://HOST:PORT"
            )
        return self._on_ray()

    def _on_ray(self) -> ClusterExecutor:
        if self.workers is not None and self.workers < 1:
            raise ExecutorError(f"-j must be at least 1, got {self.workers}")
        share = Share(
            cpus=1.0 if self.cpus is None else self.cpus,
            gpus=0.0 if self.gpus is None else self.gpus,
        )
        if not (share.cpus > 0 and share.gpus >= 0):
            raise ExecutorError(
                f"a trial needs more than no CPU, and no GPU or more; got {share.cpus:g} and {share.gpus:g}"
            )
        # Only here: the cluster's library is no part of the program, and takes a second to import.
        from fairtrial.executors.on_ray import RayCluster

        cluster = RayCluster(self.name)
        try:
            if self.workers is None:
                check_room(cluster.nodes(), share)
        except ExecutorError:
            cluster.close()
            raise
        return ClusterExecutor(cluster, share=share, workers=self.workers)
