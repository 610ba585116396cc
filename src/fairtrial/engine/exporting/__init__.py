"""Trained networks as files of other programs, and such files run: what knows the libraries that read them."""
