"""Which executor a run asked for: this machine, or a Ray cluster by its address."""

from __future__ import annotations

from fairtrial.errors import ExecutorError
from fairtrial.executors.cluster import Share, check_room
from fairtrial.executors.local import LocalExecutor
from fairtrial.executors.remote import ClusterExecutor

LOCAL = "local"


def executor_called(
    name: str,
    *,
    workers: int | None = None,
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
) -> LocalExecutor | ClusterExecutor:
    """The executor called `local`, `ray` or `ray://HOST:PORT`.

    Raises ExecutorError for another name, for shares of a machine that are asked of this one, and where the
    cluster cannot be reached.
    """
    if name == LOCAL:
        if cpus_per_trial is not None or gpus_per_trial is not None:
            raise ExecutorError(
                "on this machine a trial has one core, all of it: shares of CPUs and GPUs per trial need --executor ray"
            )
        return LocalExecutor(workers=workers)
    if name != "ray" and not name.startswith("ray://"):
        raise ExecutorError(
            f"there is no executor {name!r}; there is local (this machine), ray (the cluster that RAY_ADDRESS or "
            "`ray start` on this machine names) and ray://HOST:PORT"
        )
    if workers is not None and workers < 1:
        raise ExecutorError(f"-j must be at least 1, got {workers}")
    share = Share(
        cpus=1.0 if cpus_per_trial is None else cpus_per_trial,
        gpus=0.0 if gpus_per_trial is None else gpus_per_trial,
    )
    if not (share.cpus > 0 and share.gpus >= 0):
        raise ExecutorError(f"a trial needs a part of a CPU, and none of a GPU or more; got {share}")
    # Only here: the cluster's library is no part of the program, and takes a second to import.
    from fairtrial.executors.on_ray import RayCluster

    cluster = RayCluster(name)
    try:
        if workers is None:
            check_room(cluster.nodes(), share)
    except ExecutorError:
        cluster.close()
        raise
    return ClusterExecutor(cluster, share=share, workers=workers)
