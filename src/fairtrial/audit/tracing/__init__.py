"""Where data goes in a program that is read and never run.

`walking` follows the statements in their order with values that know which rows of data they come from (`values`);
`calling` and its neighbours know what the libraries' functions do to such values; what matters is written down as
it is met (`events`). The rules look at these alone.
"""
