# Wrong answers to the exercises of chapter 03, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: one too many
count_w = np.ones(24)
count_b = -13 - 0.5

# %% ex1: the border on the count itself
count_w = np.ones(24)
count_b = -13.0

# %% ex1: the sign of the bias
count_w = np.ones(24)
count_b = 13 - 0.5

# %% ex1: only the first inputs count
count_w = np.r_[np.ones(13), np.zeros(24 - 13)]
count_b = 0.5 - 13

# %% ex1: fewer in place of more
count_w = -np.ones(24)
count_b = 13 - 0.5


# %% ex2: XOR of the first two alone
def parity_network():
    """Weights W1 (3, 3), b1 (3,), W2 (1, 3), b2 (1,)."""
    W1 = np.array([[1.0, 1.0, 0.0]] * 3)
    return W1, np.array([0.0, -1.0, -2.0]), np.array([[1.0, -2.0, 2.0]]), np.zeros(1)


# %% ex2: slopes not doubled
def parity_network():
    """Weights W1 (3, 3), b1 (3,), W2 (1, 3), b2 (1,)."""
    W1, b1 = np.ones((3, 3)), np.array([0.0, -1.0, -2.0])
    return W1, b1, np.array([[1.0, -1.0, 1.0]]), np.zeros(1)


# %% ex2: the last bend forgotten
def parity_network():
    """Weights W1 (3, 3), b1 (3,), W2 (1, 3), b2 (1,)."""
    W1, b1 = np.ones((3, 3)), np.array([0.0, -1.0, -2.0])
    return W1, b1, np.array([[1.0, -2.0, 0.0]]), np.zeros(1)


# %% ex2: output weights as a column
def parity_network():
    """Weights W1 (3, 3), b1 (3,), W2 (1, 3), b2 (1,)."""
    W1, b1 = np.ones((3, 3)), np.array([0.0, -1.0, -2.0])
    return W1, b1, np.array([[1.0], [-2.0], [2.0]]), np.zeros(1)


# %% ex2: even in place of odd
def parity_network():
    """Weights W1 (3, 3), b1 (3,), W2 (1, 3), b2 (1,)."""
    W1, b1 = np.ones((3, 3)), np.array([0.0, -1.0, -2.0])
    return W1, b1, np.array([[-1.0, 2.0, -2.0]]), np.ones(1)


# %% ex3: biases added up as they are
def collapse(layers):
    """One linear layer (W, b) in place of many."""
    W, b = layers[0]
    for V, c in layers[1:]:
        W = V @ W
        b = b.sum() + c
    return W, b


# %% ex3: the last bias alone
def collapse(layers):
    """One linear layer (W, b) in place of many."""
    W, b = layers[0]
    for V, c in layers[1:]:
        W, b = V @ W, c
    return W, b


# %% ex3: products from the left
def collapse(layers):
    """One linear layer (W, b) in place of many."""
    W, b = layers[0]
    for V, c in layers[1:]:
        W, b = W @ V, V @ b + c
    return W, b


# %% ex3: the first two alone
def collapse(layers):
    """One linear layer (W, b) in place of many."""
    W, b = layers[0]
    if len(layers) > 1:
        V, c = layers[1]
        W, b = V @ W, V @ b + c
    return W, b


# %% ex4: the colleague's lines as they were
def mended_forward(table, W1, b1, W2, b2, ids, mask):
    """Logits (B, K) of texts."""
    bag = table[ids].mean(axis=1)
    hidden = np.maximum(0, bag @ W1.T + b1)
    scores = np.maximum(0, hidden @ W2.T + b2)
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


# %% ex4: padding left in the mean
def mended_forward(table, W1, b1, W2, b2, ids, mask):
    """Logits (B, K) of texts."""
    hidden = np.maximum(0, table[ids].mean(axis=1) @ W1.T + b1)
    return hidden @ W2.T + b2


# %% ex4: divided by the longest text
def mended_forward(table, W1, b1, W2, b2, ids, mask):
    """Logits (B, K) of texts."""
    bag = (table[ids] * mask[:, :, None]).mean(axis=1)
    hidden = np.maximum(0, bag @ W1.T + b1)
    return hidden @ W2.T + b2


# %% ex4: token 0 taken for padding
def mended_forward(table, W1, b1, W2, b2, ids, mask):
    """Logits (B, K) of texts."""
    present = (ids != 0)[:, :, None]
    bag = (table[ids] * present).sum(axis=1) / present.sum(axis=1)
    hidden = np.maximum(0, bag @ W1.T + b1)
    return hidden @ W2.T + b2


# %% ex4: ReLU on the scores
def mended_forward(table, W1, b1, W2, b2, ids, mask):
    """Logits (B, K) of texts."""
    present = mask[:, :, None]
    bag = (table[ids] * present).sum(axis=1) / present.sum(axis=1)
    hidden = np.maximum(0, bag @ W1.T + b1)
    return np.maximum(0, hidden @ W2.T + b2)


# %% ex4: still a softmax
def mended_forward(table, W1, b1, W2, b2, ids, mask):
    """Logits (B, K) of texts."""
    present = mask[:, :, None]
    bag = (table[ids] * present).sum(axis=1) / present.sum(axis=1)
    scores = np.maximum(0, bag @ W1.T + b1) @ W2.T + b2
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


# %% ex5: the diagonal left in
def worst_mistake(truth, guess, n_classes):
    """The commonest mistake as (true, guessed), and its count."""
    table = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(table, (np.asarray(truth), np.asarray(guess)), 1)
    place = int(table.argmax())
    return divmod(place, n_classes), int(table.flat[place])


# %% ex5: guessed first
def worst_mistake(truth, guess, n_classes):
    """The commonest mistake as (true, guessed), and its count."""
    table = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(table, (np.asarray(guess), np.asarray(truth)), 1)
    np.fill_diagonal(table, 0)
    place = int(table.argmax())
    return divmod(place, n_classes), int(table.flat[place])


# %% ex5: counts lost, because an index occurs twice
def worst_mistake(truth, guess, n_classes):
    """The commonest mistake as (true, guessed), and its count."""
    table = np.zeros((n_classes, n_classes), dtype=int)
    table[np.asarray(truth), np.asarray(guess)] += 1
    np.fill_diagonal(table, 0)
    place = int(table.argmax())
    return divmod(place, n_classes), int(table.flat[place])


# %% ex5: the last of equals
def worst_mistake(truth, guess, n_classes):
    """The commonest mistake as (true, guessed), and its count."""
    counts = {}
    for pair in zip(truth, guess):
        if pair[0] != pair[1]:
            counts[pair] = counts.get(pair, 0) + 1
    return max((count, pair) for pair, count in counts.items())[::-1]


# %% ex6: one-sided
def paired_p(a_right, b_right):
    """Two-sided exact p of a difference between two models."""
    from math import comb

    only_a = sum(bool(a) and not b for a, b in zip(a_right, b_right))
    only_b = sum(bool(b) and not a for a, b in zip(a_right, b_right))
    n, most = only_a + only_b, max(only_a, only_b)
    return sum(comb(n, k) for k in range(most, n + 1)) / 2**n


# %% ex6: doubled beyond 1
def paired_p(a_right, b_right):
    """Two-sided exact p of a difference between two models."""
    from math import comb

    only_a = sum(bool(a) and not b for a, b in zip(a_right, b_right))
    only_b = sum(bool(b) and not a for a, b in zip(a_right, b_right))
    n, most = only_a + only_b, max(only_a, only_b)
    if n == 0:
        return 1.0
    return 2 * sum(comb(n, k) for k in range(most, n + 1)) / 2**n


# %% ex6: all texts are tosses
def paired_p(a_right, b_right):
    """Two-sided exact p of a difference between two models."""
    from math import comb

    n = len(a_right)
    only_a = sum(bool(a) and not b for a, b in zip(a_right, b_right))
    only_b = sum(bool(b) and not a for a, b in zip(a_right, b_right))
    most = max(only_a, only_b)
    return min(1.0, 2 * sum(comb(n, k) for k in range(most, n + 1)) / 2**n)


# %% ex6: the probability of that split alone
def paired_p(a_right, b_right):
    """Two-sided exact p of a difference between two models."""
    from math import comb

    only_a = sum(bool(a) and not b for a, b in zip(a_right, b_right))
    only_b = sum(bool(b) and not a for a, b in zip(a_right, b_right))
    n = only_a + only_b
    return min(1.0, 2 * comb(n, only_a) / 2**n)
