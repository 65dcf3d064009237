# Wrong answers to the exercises of chapter 06, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: each run counts once
def new_share(train, test, n):
    """The share of n-grams of test documents that training documents lack."""

    def runs(documents):
        return {
            tuple(document[i : i + n])
            for document in documents
            for i in range(len(document) - n + 1)
        }

    known, asked = runs(train), runs(test)
    return len(asked - known) / len(asked) if asked else 0.0


# %% ex1: all documents as one stream
def new_share(train, test, n):
    """The share of n-grams of test documents that training documents lack."""

    def runs(documents):
        stream = [token for document in documents for token in document]
        return [tuple(stream[i : i + n]) for i in range(len(stream) - n + 1)]

    known, asked = set(runs(train)), runs(test)
    return sum(run not in known for run in asked) / len(asked) if asked else 0.0


# %% ex1: the known share in place of the new
def new_share(train, test, n):
    """The share of n-grams of test documents that training documents lack."""

    def runs(documents):
        return [
            tuple(document[i : i + n])
            for document in documents
            for i in range(len(document) - n + 1)
        ]

    known, asked = set(runs(train)), runs(test)
    return sum(run in known for run in asked) / len(asked) if asked else 0.0


# %% ex1: the last run of each document is missed
def new_share(train, test, n):
    """The share of n-grams of test documents that training documents lack."""

    def runs(documents):
        return [
            tuple(document[i : i + n])
            for document in documents
            for i in range(len(document) - n)
        ]

    known, asked = set(runs(train)), runs(test)
    return sum(run not in known for run in asked) / len(asked) if asked else 0.0


# %% ex1: divides by zero
def new_share(train, test, n):
    """The share of n-grams of test documents that training documents lack."""

    def runs(documents):
        return [
            tuple(document[i : i + n])
            for document in documents
            for i in range(len(document) - n + 1)
        ]

    known, asked = set(runs(train)), runs(test)
    return sum(run not in known for run in asked) / len(asked)


# %% ex2: nats
def units(stories):
    """Bits per token, perplexity, and bits per character."""
    nats = -sum(sum(logs) for logs, _ in stories)
    n_tokens = sum(len(logs) for logs, _ in stories)
    characters = sum(length for _, length in stories)
    return nats / n_tokens, math.exp(nats / n_tokens), nats / characters


# %% ex2: e to the power of bits
def units(stories):
    """Bits per token, perplexity, and bits per character."""
    bits = -sum(sum(logs) for logs, _ in stories) / math.log(2)
    n_tokens = sum(len(logs) for logs, _ in stories)
    characters = sum(length for _, length in stories)
    return bits / n_tokens, math.exp(bits / n_tokens), bits / characters


# %% ex2: the mean of the stories' perplexities
def units(stories):
    """Bits per token, perplexity, and bits per character."""
    bits = [-sum(logs) / math.log(2) for logs, _ in stories]
    each = [2 ** (b / len(logs)) for b, (logs, _) in zip(bits, stories, strict=True)]
    n_tokens = sum(len(logs) for logs, _ in stories)
    characters = sum(length for _, length in stories)
    return sum(bits) / n_tokens, sum(each) / len(each), sum(bits) / characters


# %% ex2: the mean of the stories' ratios
def units(stories):
    """Bits per token, perplexity, and bits per character."""
    bits = [-sum(logs) / math.log(2) for logs, _ in stories]
    tokens = np.mean([b / len(s[0]) for b, s in zip(bits, stories, strict=True)])
    letters = np.mean([b / s[1] for b, s in zip(bits, stories, strict=True)])
    return tokens, 2**tokens, letters


# %% ex2: the perplexity per character
def units(stories):
    """Bits per token, perplexity, and bits per character."""
    bits = -sum(sum(logs) for logs, _ in stories) / math.log(2)
    n_tokens = sum(len(logs) for logs, _ in stories)
    characters = sum(length for _, length in stories)
    return bits / n_tokens, 2 ** (bits / characters), bits / characters


# %% ex3: the colleague's lines as they were
def kn_bigram(pairs, vocab, D):
    """Kneser-Ney's probability of a token after another, as a function."""
    total = {a: sum(n for (x, _), n in pairs.items() if x == a) for a in vocab}
    came = {b: sum(n for (_, y), n in pairs.items() if y == b) for b in vocab}
    lower = {b: came[b] / sum(came.values()) for b in vocab}

    def prob(a, b):
        if not total[a]:
            return lower[b]
        kept = max(pairs.get((a, b), 0) - D, 0) / total[a]
        return kept + D / total[a] * lower[b]

    return prob


# %% ex3: gamma mended, the lower counts not
def kn_bigram(pairs, vocab, D):
    """Kneser-Ney's probability of a token after another, as a function."""
    total = {a: sum(n for (x, _), n in pairs.items() if x == a) for a in vocab}
    kinds = {a: sum(x == a for x, _ in pairs) for a in vocab}
    came = {b: sum(n for (_, y), n in pairs.items() if y == b) for b in vocab}
    lower = {b: came[b] / sum(came.values()) for b in vocab}

    def prob(a, b):
        if not total[a]:
            return lower[b]
        kept = max(pairs.get((a, b), 0) - D, 0) / total[a]
        return kept + D * kinds[a] / total[a] * lower[b]

    return prob


# %% ex3: the lower counts mended, gamma not
def kn_bigram(pairs, vocab, D):
    """Kneser-Ney's probability of a token after another, as a function."""
    total = {a: sum(n for (x, _), n in pairs.items() if x == a) for a in vocab}
    came = {b: sum(y == b for _, y in pairs) for b in vocab}
    lower = {b: came[b] / sum(came.values()) for b in vocab}

    def prob(a, b):
        if not total[a]:
            return lower[b]
        kept = max(pairs.get((a, b), 0) - D, 0) / total[a]
        return kept + D / total[a] * lower[b]

    return prob


# %% ex3: gamma with the kinds that came before the second token
def kn_bigram(pairs, vocab, D):
    """Kneser-Ney's probability of a token after another, as a function."""
    total = {a: sum(n for (x, _), n in pairs.items() if x == a) for a in vocab}
    came = {b: sum(y == b for _, y in pairs) for b in vocab}
    lower = {b: came[b] / sum(came.values()) for b in vocab}

    def prob(a, b):
        if not total[a]:
            return lower[b]
        kept = max(pairs.get((a, b), 0) - D, 0) / total[a]
        return kept + D * came[b] / total[a] * lower[b]

    return prob


# %% ex3: rows divided by their sums, which hides the wrong gamma
def kn_bigram(pairs, vocab, D):
    """Kneser-Ney's probability of a token after another, as a function."""
    total = {a: sum(n for (x, _), n in pairs.items() if x == a) for a in vocab}
    came = {b: sum(y == b for _, y in pairs) for b in vocab}
    lower = {b: came[b] / sum(came.values()) for b in vocab}

    def raw(a, b):
        if not total[a]:
            return lower[b]
        kept = max(pairs.get((a, b), 0) - D, 0) / total[a]
        return kept + D / total[a] * lower[b]

    return lambda a, b: raw(a, b) / sum(raw(a, c) for c in vocab)


# %% ex4: gamma takes whole discounts from small counts
def interpolated(counts, lower, discount=0.75):
    """Probabilities (V,): discounted counts, and the rest by `lower`."""
    counts, total = np.asarray(counts, dtype=float), np.sum(counts)
    if total == 0:
        return lower
    gamma = discount * (counts > 0).sum() / total
    return np.maximum(counts - discount, 0) / total + gamma * lower


# %% ex4: one discount is handed on
def interpolated(counts, lower, discount=0.75):
    """Probabilities (V,): discounted counts, and the rest by `lower`."""
    counts, total = np.asarray(counts, dtype=float), np.sum(counts)
    if total == 0:
        return lower
    taken = np.minimum(counts, discount)
    return (counts - taken) / total + discount / total * lower


# %% ex4: only what was not seen gets something from below
def interpolated(counts, lower, discount=0.75):
    """Probabilities (V,): discounted counts, and the rest by `lower`."""
    counts, total = np.asarray(counts, dtype=float), np.sum(counts)
    if total == 0:
        return lower
    taken = np.minimum(counts, discount)
    rest = np.where(counts == 0, lower, 0)
    return (counts - taken) / total + taken.sum() / total * rest / rest.sum()


# %% ex4: nothing after a context that nothing followed
def interpolated(counts, lower, discount=0.75):
    """Probabilities (V,): discounted counts, and the rest by `lower`."""
    counts = np.asarray(counts, dtype=float)
    total = max(counts.sum(), 1)
    taken = np.minimum(counts, discount)
    return (counts - taken) / total + taken.sum() / total * lower


# %% ex4: another discount
def interpolated(counts, lower, discount=0.5):
    """Probabilities (V,): discounted counts, and the rest by `lower`."""
    counts, total = np.asarray(counts, dtype=float), np.sum(counts)
    if total == 0:
        return lower
    taken = np.minimum(counts, discount)
    return (counts - taken) / total + taken.sum() / total * lower


# %% ex5: the mean of the vectors
def direct_logits(windows, C, H, d, W, b, U=None):
    """Logits (N, V), with direct connections if U is given."""
    x = C[windows].mean(dim=1).repeat(1, windows.shape[1])
    logits = torch.tanh(x @ H.T + d) @ W.T + b
    return logits if U is None else logits + x @ U.T


# %% ex5: the vectors interleaved
def direct_logits(windows, C, H, d, W, b, U=None):
    """Logits (N, V), with direct connections if U is given."""
    x = C[windows].transpose(1, 2).flatten(1)
    logits = torch.tanh(x @ H.T + d) @ W.T + b
    return logits if U is None else logits + x @ U.T


# %% ex5: the tanh of the vectors goes past the hidden layer
def direct_logits(windows, C, H, d, W, b, U=None):
    """Logits (N, V), with direct connections if U is given."""
    x = C[windows].flatten(1)
    logits = torch.tanh(x @ H.T + d) @ W.T + b
    return logits if U is None else logits + torch.tanh(x) @ U.T


# %% ex5: no tanh
def direct_logits(windows, C, H, d, W, b, U=None):
    """Logits (N, V), with direct connections if U is given."""
    x = C[windows].flatten(1)
    logits = (x @ H.T + d) @ W.T + b
    return logits if U is None else logits + x @ U.T


# %% ex5: U is not used
def direct_logits(windows, C, H, d, W, b, U=None):
    """Logits (N, V), with direct connections if U is given."""
    x = C[windows].flatten(1)
    return torch.tanh(x @ H.T + d) @ W.T + b


# %% ex5: probabilities in place of logits
def direct_logits(windows, C, H, d, W, b, U=None):
    """Logits (N, V), with direct connections if U is given."""
    x = C[windows].flatten(1)
    logits = torch.tanh(x @ H.T + d) @ W.T + b
    return (logits if U is None else logits + x @ U.T).softmax(dim=1)


# %% ex6: stories drawn anew for each model
def difference(a, b, characters):
    """Bits per character that a needs more than b, with an interval."""
    source, n = np.random.default_rng(0), len(a)
    one, two = source.integers(n, size=(2, 2000, n))
    values = a[one].sum(1) / characters[one].sum(1)
    values = values - b[two].sum(1) / characters[two].sum(1)
    low, high = np.percentile(values, [2.5, 97.5])
    return (a - b).sum() / characters.sum(), low, high


# %% ex6: the mean of the stories' own differences
def difference(a, b, characters):
    """Bits per character that a needs more than b, with an interval."""
    excess = (a - b) / characters
    drawn = np.random.default_rng(0).integers(len(a), size=(2000, len(a)))
    low, high = np.percentile(excess[drawn].mean(axis=1), [2.5, 97.5])
    return excess.mean(), low, high


# %% ex6: where single stories lie, not their mean
def difference(a, b, characters):
    """Bits per character that a needs more than b, with an interval."""
    low, high = np.percentile((a - b) / characters, [2.5, 97.5])
    return (a - b).sum() / characters.sum(), low, high


# %% ex6: the stories drawn without replacement
def difference(a, b, characters):
    """Bits per character that a needs more than b, with an interval."""
    source, n = np.random.default_rng(0), len(a)
    drawn = np.array([source.permutation(n) for _ in range(2000)])
    values = (a - b)[drawn].sum(1) / characters[drawn].sum(1)
    low, high = np.percentile(values, [2.5, 97.5])
    return (a - b).sum() / characters.sum(), low, high


# %% ex6: nine times out of ten
def difference(a, b, characters):
    """Bits per character that a needs more than b, with an interval."""
    drawn = np.random.default_rng(0).integers(len(a), size=(2000, len(a)))
    values = (a - b)[drawn].sum(axis=1) / characters[drawn].sum(axis=1)
    low, high = np.percentile(values, [5, 95])
    return (a - b).sum() / characters.sum(), low, high


# %% ex6: half as many stories in each draw
def difference(a, b, characters):
    """Bits per character that a needs more than b, with an interval."""
    drawn = np.random.default_rng(0).integers(len(a), size=(2000, len(a) // 2))
    values = (a - b)[drawn].sum(axis=1) / characters[drawn].sum(axis=1)
    low, high = np.percentile(values, [2.5, 97.5])
    return (a - b).sum() / characters.sum(), low, high


# %% ex6: b minus a
def difference(a, b, characters):
    """Bits per character that a needs more than b, with an interval."""
    excess = b - a
    drawn = np.random.default_rng(0).integers(len(a), size=(2000, len(a)))
    values = excess[drawn].sum(axis=1) / characters[drawn].sum(axis=1)
    low, high = np.percentile(values, [2.5, 97.5])
    return excess.sum() / characters.sum(), low, high
