"""TinyWorld: a small village, simulated, that tells stories whose probability is known.

`sampling.sample_story` tells one, `sampling.stories` many; `reading.parse`,
`reading.score` and `reading.next_words` read text and give exact probabilities;
`checking.check` says what is untrue in any text; `tasks` makes labelled data. Pure
Python.
"""
