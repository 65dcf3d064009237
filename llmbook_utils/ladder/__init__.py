"""The ladder: every language model of the book, measured on the same stories.

A rung is a model with its bits per character on held-out stories of TinyWorld and the
share of its own stories that are true. At the foot is the entropy floor, which no model
can pass. ``make ladder`` measures all rungs and keeps them in ``ladder.json``;
`rungs.load_ladder` reads them, `chart` draws them.

What makes it fair: all models are scored on whole stories with their end, in bits of
text, whatever their tokens are. All but `uniform`, which guesses characters, use the
tokenizer of `tiny`.

These rungs had different times to learn. For a comparison of architectures there are
races: the same text, the same effort of tuning, the same time for all;
`rungs.load_race` reads what they came to.
"""
