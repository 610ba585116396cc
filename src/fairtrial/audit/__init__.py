"""What is wrong with the experiments in a notebook or script: read, never run.

The way of a file: `reading` makes a document of cells; `recognising` finds the experiments in it (models, how each
was trained, what was printed of it, what the text says of them); `findings` says what is wrong; `translating`
writes the study that would settle its questions.
"""
