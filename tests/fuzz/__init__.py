"""Any input at all: an answer of the documented kind, quickly, and nothing written or started.

`hostile` has the bad values and changes bytes, `seeds` the good files that are made bad, `inputs`
makes a case of an index, `arena` is the repository that commands meet it in, `layers` what is
called directly, `judge` says what every answer must be. `python -m fuzz N` runs N cases.
"""
