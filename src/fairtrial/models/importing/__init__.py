"""Keras models to arms: what a model says of its layers and its training, without Keras, and never half of it."""
