"""What happens to trials, told to other programs' records of runs: TensorBoard and MLflow.

A tracker is told of trials as they go (`live`) or from what is stored (`exporting`), by the same functions.
"""

from fairtrial.tracking.exporting import Exported, export
from fairtrial.tracking.live import Tracked, tracked
from fairtrial.tracking.opening import open_tracker

__all__ = ["Exported", "Tracked", "export", "open_tracker", "tracked"]
