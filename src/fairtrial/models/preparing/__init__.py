"""Pictures as a network was trained on them: what is a digit in a picture, and how MNIST's digits were laid out."""
