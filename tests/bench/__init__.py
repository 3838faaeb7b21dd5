"""The benchmark suite: the same audio work by every engine, in one process, in turns.

`works` says what is computed, `engines` who computes it, `timing` how it is timed; `table` runs it.
"""
