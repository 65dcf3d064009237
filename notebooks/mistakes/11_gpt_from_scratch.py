# Wrong answers to the exercises of chapter 11, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: the mask after the softmax, not renormalised
def causal_weights(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.tril(e / e.sum(axis=1, keepdims=True))


# %% ex1: softmax along columns (axis 0)
def causal_weights(scores):
    s = np.where(np.tril(np.ones(scores.shape)) > 0, scores, -np.inf)
    e = np.exp(s - s.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


# %% ex1: no largest score taken off: overflow
def causal_weights(scores):
    e = np.tril(np.exp(scores))
    return e / e.sum(axis=1, keepdims=True)


# %% ex1: writes minus infinity into the input
def causal_weights(scores):
    scores[np.triu_indices(len(scores), 1)] = -np.inf
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


# %% ex1: the largest of the whole matrix is taken off
def causal_weights(scores):
    e = np.tril(np.exp(scores - scores.max()))
    return e / e.sum(axis=1, keepdims=True)


# %% ex2: rotary still counted as a table
def parameter_table(config):
    C, L = config.n_embd, config.n_layer
    return {
        "embeddings": (config.vocab_size + config.block_size) * C,
        "attention": L * (4 * C**2 + 4 * C),
        "mlp": L * (8 * C**2 + 5 * C),
        "norms": L * 4 * C + 2 * C,
    }


# %% ex2: biases left out
def parameter_table(config):
    C, L = config.n_embd, config.n_layer
    rows = config.vocab_size + (
        config.block_size if config.positions != "rotary" else 0
    )
    return {
        "embeddings": rows * C,
        "attention": L * 4 * C**2,
        "mlp": L * 8 * C**2,
        "norms": L * 4 * C + 2 * C,
    }


# %% ex2: the last norm counted only in the learned-position branch
def parameter_table(config):
    C, L = config.n_embd, config.n_layer
    rotary = config.positions == "rotary"
    return {
        "embeddings": (config.vocab_size + (0 if rotary else config.block_size)) * C,
        "attention": L * (4 * C**2 + 4 * C),
        "mlp": L * (8 * C**2 + 5 * C),
        "norms": L * 4 * C + (0 if rotary else 2 * C),
    }


# %% ex2: the table of tokens counted twice (head not tied)
def parameter_table(config):
    C, L = config.n_embd, config.n_layer
    rows = 2 * config.vocab_size + (
        config.block_size if config.positions != "rotary" else 0
    )
    return {
        "embeddings": rows * C,
        "attention": L * (4 * C**2 + 4 * C),
        "mlp": L * (8 * C**2 + 5 * C),
        "norms": L * 4 * C + 2 * C,
    }


# %% ex2: builds the model and counts
def parameter_table(config):
    named = list(GPT(config).named_parameters())

    def count(*words):
        return sum(
            p.numel() for name, p in named if any(word in name for word in words)
        )

    return {
        "embeddings": count("wte", "wpe"),
        "attention": count("attn"),
        "mlp": count("mlp"),
        "norms": count("ln_"),
    }


# %% ex3: only the mask mended
def mended_attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(1))
    T = q.size(-2)
    scores = scores + torch.full((T, T), -torch.inf).triu(1)
    return scores.softmax(dim=-1) @ v


# %% ex3: only the scale mended
def mended_attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    weights = scores.softmax(dim=-1).tril()
    return weights @ v


# %% ex3: tril of the scores before the softmax: zeros, not minus infinity
def mended_attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    return scores.tril().softmax(dim=-1) @ v


# %% ex3: sizes of the example written in
def mended_attention(q, k, v):
    scores = q @ k.transpose(-2, -1) / 2
    mask = torch.full((5, 5), -torch.inf).triu(1)
    return (scores + mask).softmax(dim=-1) @ v


# %% ex3: masks q, k instead (in place) and spoils the inputs
def mended_attention(q, k, v):
    q *= 1 / math.sqrt(q.size(-1))
    scores = q @ k.transpose(-2, -1)
    T = q.size(-2)
    return (scores + torch.full((T, T), -torch.inf).triu(1)).softmax(dim=-1) @ v


# %% ex4: neighbours as pairs (x[0::2], x[1::2])
def turn(x, p):
    d = len(x)
    angle = p * 10000.0 ** (-2 * np.arange(d // 2) / d)
    c, s = np.cos(angle), np.sin(angle)
    y = np.empty(d)
    y[0::2] = x[0::2] * c - x[1::2] * s
    y[1::2] = x[1::2] * c + x[0::2] * s
    return y


# %% ex4: exponent -i/d, the 2 forgotten
def turn(x, p):
    d = len(x)
    a, b = x[: d // 2], x[d // 2 :]
    angle = p * 10000.0 ** (-np.arange(d // 2) / d)
    c, s = np.cos(angle), np.sin(angle)
    return np.concatenate([a * c - b * s, b * c + a * s])


# %% ex4: second half built from the new first half
def turn(x, p):
    d = len(x)
    y = x.astype(float).copy()
    angle = p * 10000.0 ** (-2 * np.arange(d // 2) / d)
    c, s = np.cos(angle), np.sin(angle)
    y[: d // 2] = y[: d // 2] * c - y[d // 2 :] * s
    y[d // 2 :] = y[d // 2 :] * c + y[: d // 2] * s
    return y


# %% ex4: written into the input
def turn(x, p):
    d = len(x)
    angle = p * 10000.0 ** (-2 * np.arange(d // 2) / d)
    c, s = np.cos(angle), np.sin(angle)
    a, b = x[: d // 2].copy(), x[d // 2 :].copy()
    x[: d // 2] = a * c - b * s
    x[d // 2 :] = b * c + a * s
    return x


# %% ex4: turned the other way
def turn(x, p):
    d = len(x)
    a, b = x[: d // 2], x[d // 2 :]
    angle = p * 10000.0 ** (-2 * np.arange(d // 2) / d)
    c, s = np.cos(angle), np.sin(angle)
    return np.concatenate([a * c + b * s, b * c - a * s])


# %% ex5: mean over stories of their shares
def above_floor(losses, characters, floor):
    bits = np.array(losses) / np.log(2) / np.array(characters)
    return bits.mean() / floor - 1


# %% ex5: nats taken for bits
def above_floor(losses, characters, floor):
    return sum(losses) / sum(characters) / floor - 1


# %% ex5: the ratio, not the excess
def above_floor(losses, characters, floor):
    return sum(losses) / np.log(2) / sum(characters) / floor


# %% ex5: clamped at 0: never below the floor
def above_floor(losses, characters, floor):
    return max(0.0, sum(losses) / np.log(2) / sum(characters) / floor - 1)


# %% ex6: one operation for each weight
def forward_operations(config, T):
    C, L = config.n_embd, config.n_layer
    return L * 12 * C**2 + config.vocab_size * C + L * 2 * T * C


# %% ex6: the head forgotten
def forward_operations(config, T):
    C, L = config.n_embd, config.n_layer
    return 2 * L * 12 * C**2 + L * 4 * T * C


# %% ex6: half of attention, as the mask hides half
def forward_operations(config, T):
    C, L = config.n_embd, config.n_layer
    return 2 * (L * 12 * C**2 + config.vocab_size * C) + L * 4 * (T + 1) // 2 * C


# %% ex6: block_size in place of T
def forward_operations(config, T):
    C, L = config.n_embd, config.n_layer
    return 2 * (L * 12 * C**2 + config.vocab_size * C) + L * 4 * config.block_size * C


# %% ex7: not turned over: stacked rows, (3 C, C)
def join(q, k, v):
    return torch.cat([q.weight, k.weight, v.weight]), torch.cat(
        [q.bias, k.bias, v.bias]
    )


# %% ex7: keys and queries swapped
def join(q, k, v):
    return (
        torch.cat([k.weight.T, q.weight.T, v.weight.T], dim=1),
        torch.cat([k.bias, q.bias, v.bias]),
    )


# %% ex7: rows, then reshaped in place of turned
def join(q, k, v):
    C = q.in_features
    return (
        torch.cat([q.weight, k.weight, v.weight]).reshape(C, 3 * C),
        torch.cat([q.bias, k.bias, v.bias]),
    )


# %% ex7: written for width 4: hard-coded shape
def join(q, k, v):
    weight = torch.empty(4, 12)
    for i, layer in enumerate((q, k, v)):
        weight[:, 4 * i : 4 * i + 4] = layer.weight.T
    return weight, torch.cat([q.bias, k.bias, v.bias])
