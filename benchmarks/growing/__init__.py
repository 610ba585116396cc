"""What fairtrial costs as work grows: overhead of a trial, stores, resuming, memory, workers, the twelve MLPs."""
