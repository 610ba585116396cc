"""How fast fairtrial is beside what else one would use, and what it costs as work grows. Not part of the package."""
