# Wrong answers to the exercises of chapter 02, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: logarithm to base 2
def pmi(n_pair, n_word, n_context, n_total):
    """Pointwise mutual information in nats."""
    if n_pair == 0:
        return -np.inf
    return np.log2(n_pair * n_total / (n_word * n_context))


# %% ex1: positive PMI: cut at 0
def pmi(n_pair, n_word, n_context, n_total):
    """Pointwise mutual information in nats."""
    if n_pair == 0:
        return 0.0
    return max(0.0, np.log(n_pair * n_total / (n_word * n_context)))


# %% ex1: counts in place of shares
def pmi(n_pair, n_word, n_context, n_total):
    """Pointwise mutual information in nats."""
    if n_pair == 0:
        return -np.inf
    return np.log(n_pair / (n_word * n_context))


# %% ex1: joint share over the word's alone
def pmi(n_pair, n_word, n_context, n_total):
    """Pointwise mutual information in nats."""
    if n_pair == 0:
        return -np.inf
    return np.log((n_pair / n_total) / (n_word / n_total))


# %% ex2: sign of the true pair's error turned round
def context_gradients(u, v, noise):
    """Gradients of -log s(u.v) - sum log s(-u.n) for v (C,) and noise (k, C)."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    return (1 - sigmoid(u @ v)) * u, sigmoid(noise @ u)[:, None] * u


# %% ex2: noise summed to one vector
def context_gradients(u, v, noise):
    """Gradients of -log s(u.v) - sum log s(-u.n) for v (C,) and noise (k, C)."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    return (sigmoid(u @ v) - 1) * u, (sigmoid(noise @ u)[:, None] * u).sum(axis=0)


# %% ex2: gradient for u in place of v
def context_gradients(u, v, noise):
    """Gradients of -log s(u.v) - sum log s(-u.n) for v (C,) and noise (k, C)."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    return (sigmoid(u @ v) - 1) * v, sigmoid(noise @ u)[:, None] * noise


# %% ex2: works in the input
def context_gradients(u, v, noise):
    """Gradients of -log s(u.v) - sum log s(-u.n) for v (C,) and noise (k, C)."""
    scores = noise @ u
    v[:] = (1 / (1 + np.exp(-u @ v)) - 1) * u
    noise[:] = 1 / (1 + np.exp(-scores))[:, None] * u
    return v, noise


# %% ex3: the colleague's line as it was
def mended_loss(model, center, context, noise, k):
    """Skip-gram loss; the colleague's line is in the comment."""
    u = model.input(center)  # (B, C)
    positive = (u * model.output(context)).sum(dim=1)  # (B,)
    negative = u @ model.output(noise).T  # (B, K)
    return -F.logsigmoid(positive).mean() - k * F.logsigmoid(negative).mean()


# %% ex3: minus in front of the logarithm, not of the score
def mended_loss(model, center, context, noise, k):
    """Skip-gram loss; the colleague's line is in the comment."""
    u = model.input(center)  # (B, C)
    positive = (u * model.output(context)).sum(dim=1)  # (B,)
    negative = u @ model.output(noise).T  # (B, K)
    return -F.logsigmoid(positive).mean() + k * F.logsigmoid(negative).mean()


# %% ex3: k forgotten
def mended_loss(model, center, context, noise, k):
    """Skip-gram loss; the colleague's line is in the comment."""
    u = model.input(center)  # (B, C)
    positive = (u * model.output(context)).sum(dim=1)  # (B,)
    negative = u @ model.output(noise).T  # (B, K)
    return -F.logsigmoid(positive).mean() - F.logsigmoid(-negative).mean()


# %% ex3: a number without a graph
def mended_loss(model, center, context, noise, k):
    """Skip-gram loss; the colleague's line is in the comment."""
    u = model.input(center)  # (B, C)
    positive = (u * model.output(context)).sum(dim=1)  # (B,)
    negative = u @ model.output(noise).T  # (B, K)
    loss = -F.logsigmoid(positive).mean() - k * F.logsigmoid(-negative).mean()
    return torch.tensor(loss.item())


# %% ex3: noise held fixed: right value, wrong gradient
def mended_loss(model, center, context, noise, k):
    """Skip-gram loss; the colleague's line is in the comment."""
    u = model.input(center)  # (B, C)
    positive = (u * model.output(context)).sum(dim=1)  # (B,)
    negative = u @ model.output(noise).detach().T  # (B, K)
    return -F.logsigmoid(positive).mean() - k * F.logsigmoid(-negative).mean()


# %% ex4: the expectation under the second Gaussian
def kl(m0, s0, m1, s1):
    """KL(N(m0, s0^2) || N(m1, s1^2)) in nats."""
    return np.log(s0 / s1) + (s1**2 + (m0 - m1) ** 2) / (2 * s0**2) - 0.5


smaller = "narrow in wide"


# %% ex4: the half forgotten
def kl(m0, s0, m1, s1):
    """KL(N(m0, s0^2) || N(m1, s1^2)) in nats."""
    return np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2)


smaller = "narrow in wide"


# %% ex4: deviations taken for variances
def kl(m0, s0, m1, s1):
    """KL(N(m0, s0^2) || N(m1, s1^2)) in nats."""
    return np.log(s1 / s0) / 2 + (s0 + (m0 - m1) ** 2) / (2 * s1) - 0.5


smaller = "narrow in wide"


# %% ex4: the wrong answer to which one is smaller
def kl(m0, s0, m1, s1):
    """KL(N(m0, s0^2) || N(m1, s1^2)) in nats."""
    return np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5


smaller = "wide in narrow"


# %% ex5: the first of each two replaced
def half_replaced(documents, word):
    """Replace every second occurrence of a word."""
    seen, changed = 0, []
    for document in documents:
        copy = list(document)
        for position, token in enumerate(copy):
            if token == word:
                if seen % 2 == 0:
                    copy[position] = "zorp"
                seen += 1
        changed.append(copy)
    return changed


def new_neighbours(documents, k):
    """Return the k words nearest to zorp."""
    lexicon = Vocabulary(documents, min_count=5)
    coded = [lexicon.encode(document) for document in documents]
    table = cooccurrence(coded, len(lexicon), window=2)
    vectors = svd_vectors(ppmi(table, smoothing=0.75), 64)
    return lexicon.decode(nearest(vectors, lexicon.index("zorp"), k)[0])


# %% ex5: counted anew in each document
def half_replaced(documents, word):
    """Replace every second occurrence of a word."""
    changed = []
    for document in documents:
        seen, copy = 0, list(document)
        for position, token in enumerate(copy):
            if token == word:
                seen += 1
                if seen % 2 == 0:
                    copy[position] = "zorp"
        changed.append(copy)
    return changed


def new_neighbours(documents, k):
    """Return the k words nearest to zorp."""
    lexicon = Vocabulary(documents, min_count=5)
    coded = [lexicon.encode(document) for document in documents]
    table = cooccurrence(coded, len(lexicon), window=2)
    vectors = svd_vectors(ppmi(table, smoothing=0.75), 64)
    return lexicon.decode(nearest(vectors, lexicon.index("zorp"), k)[0])


# %% ex5: replaced in the input
def half_replaced(documents, word):
    """Replace every second occurrence of a word."""
    seen = 0
    for document in documents:
        for position, token in enumerate(document):
            if token == word:
                seen += 1
                if seen % 2 == 0:
                    document[position] = "zorp"
    return documents


def new_neighbours(documents, k):
    """Return the k words nearest to zorp."""
    lexicon = Vocabulary(documents, min_count=5)
    coded = [lexicon.encode(document) for document in documents]
    table = cooccurrence(coded, len(lexicon), window=2)
    vectors = svd_vectors(ppmi(table, smoothing=0.75), 64)
    return lexicon.decode(nearest(vectors, lexicon.index("zorp"), k)[0])


# %% ex5: vectors of the old documents, zorp's place in the new vocabulary
def half_replaced(documents, word):
    """Replace every second occurrence of a word."""
    seen, changed = 0, []
    for document in documents:
        copy = list(document)
        for position, token in enumerate(copy):
            if token == word:
                seen += 1
                if seen % 2 == 0:
                    copy[position] = "zorp"
        changed.append(copy)
    return changed


def new_neighbours(documents, k):
    """Return the k words nearest to zorp."""
    lexicon = Vocabulary(documents, min_count=5)
    table = cooccurrence(ids, len(vocab), window=2)
    vectors = svd_vectors(ppmi(table, smoothing=0.75), 64)
    return vocab.decode(nearest(vectors, lexicon.index("zorp"), k)[0])


# %% ex6: the same window each time
def by_window(windows, word_groups):
    """Precision at 5 of SVD vectors for each window."""
    precisions = []
    for _ in windows:
        table = cooccurrence(ids, len(vocab), window=2)
        vectors = svd_vectors(ppmi(table, smoothing=0.75), 64)
        precisions.append(precision_at_k(vectors, word_groups, k=5))
    return precisions


# %% ex6: the chapter's groups in place of those handed in
def by_window(windows, word_groups):
    """Precision at 5 of SVD vectors for each window."""
    precisions = []
    for window in windows:
        table = cooccurrence(ids, len(vocab), window=window)
        vectors = svd_vectors(ppmi(table, smoothing=0.75), 64)
        precisions.append(precision_at_k(vectors, groups, k=5))
    return precisions


# %% ex6: counts without PPMI
def by_window(windows, word_groups):
    """Precision at 5 of SVD vectors for each window."""
    precisions = []
    for window in windows:
        table = cooccurrence(ids, len(vocab), window=window)
        precisions.append(precision_at_k(svd_vectors(table, 64), word_groups, k=5))
    return precisions


# %% ex6: returns after the first window
def by_window(windows, word_groups):
    """Precision at 5 of SVD vectors for each window."""
    precisions = []
    for window in windows:
        table = cooccurrence(ids, len(vocab), window=window)
        vectors = svd_vectors(ppmi(table, smoothing=0.75), 64)
        precisions.append(precision_at_k(vectors, word_groups, k=5))
        return precisions


# %% ex7: ties left out
def permutation_p(lean, first):
    """One-sided p of a difference of means, over all splits."""
    lean = np.asarray(lean, dtype=float)

    def gap(group):
        inside = np.isin(np.arange(len(lean)), group)
        return lean[inside].mean() - lean[~inside].mean()

    gaps = [gap(group) for group in combinations(range(len(lean)), len(first))]
    return np.mean(np.array(gaps) > gap(first) + 1e-12)


# %% ex7: exact comparison of sums
def permutation_p(lean, first):
    """One-sided p of a difference of means, over all splits."""
    lean = np.asarray(lean, dtype=float)

    def gap(group):
        group = list(group)
        rest = [i for i in range(len(lean)) if i not in group]
        return sum(lean[group]) / len(group) - sum(lean[rest]) / len(rest)

    gaps = [gap(group) for group in combinations(range(len(lean)), len(first))]
    return np.mean(np.array(gaps) >= gap(first))


# %% ex7: two-sided
def permutation_p(lean, first):
    """One-sided p of a difference of means, over all splits."""
    lean = np.asarray(lean, dtype=float)

    def gap(group):
        inside = np.isin(np.arange(len(lean)), group)
        return abs(lean[inside].mean() - lean[~inside].mean())

    gaps = [gap(group) for group in combinations(range(len(lean)), len(first))]
    return np.mean(np.array(gaps) >= gap(first) - 1e-12)


# %% ex7: groups of two, whatever the size of first
def permutation_p(lean, first):
    """One-sided p of a difference of means, over all splits."""
    lean = np.asarray(lean, dtype=float)

    def gap(group):
        inside = np.isin(np.arange(len(lean)), group)
        return lean[inside].mean() - lean[~inside].mean()

    gaps = [gap(group) for group in combinations(range(len(lean)), 2)]
    return np.mean(np.array(gaps) >= gap(first) - 1e-12)
