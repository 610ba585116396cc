"""What the events of a program say is wrong with its experiments, a module for each kind of mistake."""
