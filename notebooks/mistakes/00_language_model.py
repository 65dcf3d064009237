# Wrong answers to the exercises of chapter 00, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: no mark at all
def pair_counts(documents, end):
    """How often each pair of neighbours occurs."""
    counts = Counter()
    for document in documents:
        counts.update(pairwise(document))
    return counts


# %% ex1: a mark behind each document, none before it
def pair_counts(documents, end):
    """How often each pair of neighbours occurs."""
    counts = Counter()
    for document in documents:
        counts.update(pairwise([*document, end]))
    return counts


# %% ex1: all documents as one stream
def pair_counts(documents, end):
    """How often each pair of neighbours occurs."""
    stream = [token for document in documents for token in document]
    return Counter(pairwise([end, *stream, end]))


# %% ex1: each pair once a document
def pair_counts(documents, end):
    """How often each pair of neighbours occurs."""
    counts = Counter()
    for document in documents:
        counts.update(set(pairwise([end, *document, end])))
    return counts


# %% ex1: writes the marks into the documents
def pair_counts(documents, end):
    """How often each pair of neighbours occurs."""
    counts = Counter()
    for document in documents:
        document.insert(0, end)
        document.append(end)
        counts.update(pairwise(document))
    return counts


# %% ex2: the colleague's lines as they were
def mended_probs(counts, k):
    """Smoothed probabilities (V, V); the colleague's lines are in the comment."""
    raised = counts.double() + k
    return counts / raised.sum(dim=1)


# %% ex2: k mended, the axis not
def mended_probs(counts, k):
    """Smoothed probabilities (V, V); the colleague's lines are in the comment."""
    raised = counts.double() + k
    return raised / raised.sum(dim=1)


# %% ex2: the axis mended, k not
def mended_probs(counts, k):
    """Smoothed probabilities (V, V); the colleague's lines are in the comment."""
    raised = counts.double() + k
    return counts / raised.sum(dim=1, keepdim=True)


# %% ex2: columns sum to 1
def mended_probs(counts, k):
    """Smoothed probabilities (V, V); the colleague's lines are in the comment."""
    raised = counts.double() + k
    return raised / raised.sum(dim=0)


# %% ex2: k added to probabilities
def mended_probs(counts, k):
    """Smoothed probabilities (V, V); the colleague's lines are in the comment."""
    probs = (counts / counts.sum(dim=1, keepdim=True).clamp(min=1)).double() + k
    return probs / probs.sum(dim=1, keepdim=True)


# %% ex3: the power tau in place of 1 / tau
def tempered(row, tau):
    """Probabilities (V,) at a temperature of 0 or more."""
    if tau == 0:
        sharp = torch.zeros_like(row)
        sharp[row.argmax()] = 1
        return sharp
    powers = row**tau
    return powers / powers.sum()


# %% ex3: sums to something else
def tempered(row, tau):
    """Probabilities (V,) at a temperature of 0 or more."""
    if tau == 0:
        sharp = torch.zeros_like(row)
        sharp[row.argmax()] = 1
        return sharp
    return row ** (1 / tau)


# %% ex3: softmax of the probabilities
def tempered(row, tau):
    """Probabilities (V,) at a temperature of 0 or more."""
    if tau == 0:
        sharp = torch.zeros_like(row)
        sharp[row.argmax()] = 1
        return sharp
    return (row / tau).softmax(dim=0)


# %% ex3: a temperature of 0 divides by it
def tempered(row, tau):
    """Probabilities (V,) at a temperature of 0 or more."""
    powers = row ** (1 / tau)
    return powers / powers.sum()


# %% ex3: those that are equally likely share at 0
def tempered(row, tau):
    """Probabilities (V,) at a temperature of 0 or more."""
    if tau == 0:
        best = (row == row.max()).to(row.dtype)
        return best / best.sum()
    powers = row ** (1 / tau)
    return powers / powers.sum()


# %% ex3: works in the row
def tempered(row, tau):
    """Probabilities (V,) at a temperature of 0 or more."""
    if tau == 0:
        sharp = torch.zeros_like(row)
        sharp[row.argmax()] = 1
        return sharp
    row.pow_(1 / tau)
    row.div_(row.sum())
    return row


# %% ex4: the mean of the stories' own ratios
import math


def bits_of(stories):
    """Bits per character of stories, given as (probabilities, characters)."""
    ratios = []
    for probabilities, characters in stories:
        if 0 in probabilities:
            return math.inf
        ratios.append(-sum(math.log2(p) for p in probabilities) / characters)
    return sum(ratios) / len(ratios)


# %% ex4: nats
import math


def bits_of(stories):
    """Bits per character of stories, given as (probabilities, characters)."""
    if any(0 in probabilities for probabilities, _ in stories):
        return math.inf
    total = -sum(math.log(p) for probabilities, _ in stories for p in probabilities)
    return total / sum(characters for _, characters in stories)


# %% ex4: bits per token
import math


def bits_of(stories):
    """Bits per character of stories, given as (probabilities, characters)."""
    if any(0 in probabilities for probabilities, _ in stories):
        return math.inf
    every = [p for probabilities, _ in stories for p in probabilities]
    return -sum(math.log2(p) for p in every) / len(every)


# %% ex4: zeros are left out
import math


def bits_of(stories):
    """Bits per character of stories, given as (probabilities, characters)."""
    every = [p for probabilities, _ in stories for p in probabilities if p > 0]
    return -sum(map(math.log2, every)) / sum(characters for _, characters in stories)


# %% ex4: the sign forgotten
import math


def bits_of(stories):
    """Bits per character of stories, given as (probabilities, characters)."""
    if any(0 in probabilities for probabilities, _ in stories):
        return math.inf
    every = [p for probabilities, _ in stories for p in probabilities]
    return sum(map(math.log2, every)) / sum(characters for _, characters in stories)


# %% ex5: a row without counts gives nan
def mixed(counts, weight=0.8):
    """Probabilities (V, V), the bigram's and the unigram's mixed."""
    table = counts.double()
    unigram = table.sum(dim=0) / table.sum()
    return weight * table / table.sum(dim=1, keepdim=True) + (1 - weight) * unigram


# %% ex5: an empty row gets only its part of the unigram
def mixed(counts, weight=0.8):
    """Probabilities (V, V), the bigram's and the unigram's mixed."""
    table = counts.double()
    unigram = table.sum(dim=0) / table.sum()
    bigram = table / table.sum(dim=1, keepdim=True).clamp(min=1)
    return weight * bigram + (1 - weight) * unigram


# %% ex5: the unigram from sums of rows
def mixed(counts, weight=0.8):
    """Probabilities (V, V), the bigram's and the unigram's mixed."""
    table = counts.double()
    totals = table.sum(dim=1, keepdim=True)
    unigram = totals[:, 0] / table.sum()
    bigram = torch.where(totals > 0, table / totals.clamp(min=1), unigram)
    return weight * bigram + (1 - weight) * unigram


# %% ex5: the weights the other way round
def mixed(counts, weight=0.8):
    """Probabilities (V, V), the bigram's and the unigram's mixed."""
    table = counts.double()
    totals = table.sum(dim=1, keepdim=True)
    unigram = table.sum(dim=0) / table.sum()
    bigram = torch.where(totals > 0, table / totals.clamp(min=1), unigram)
    return (1 - weight) * bigram + weight * unigram


# %% ex5: uniform in place of the unigram
def mixed(counts, weight=0.8):
    """Probabilities (V, V), the bigram's and the unigram's mixed."""
    table = counts.double()
    totals = table.sum(dim=1, keepdim=True)
    even = torch.full_like(table, 1 / len(table))
    bigram = torch.where(totals > 0, table / totals.clamp(min=1), even)
    return weight * bigram + (1 - weight) * even


# %% ex6: chosen on the training text
def choose_n(train, validation, vocab_size):
    """The best length of an n-gram, and bits per token for n = 1, 2, 3, 4."""
    n_tokens = sum(len(document) + 1 for document in train)
    costs = []
    for n in (1, 2, 3, 4):
        model = NGram(n, k=0.01).fit(train, vocab_size)
        costs.append(-sum(map(model.log_prob, train)) / n_tokens)
    return 1 + costs.index(min(costs)), costs


# %% ex6: trained on the validation text as well
def choose_n(train, validation, vocab_size):
    """The best length of an n-gram, and bits per token for n = 1, 2, 3, 4."""
    n_tokens = sum(len(document) + 1 for document in validation)
    costs = []
    for n in (1, 2, 3, 4):
        model = NGram(n, k=0.01).fit([*train, *validation], vocab_size)
        costs.append(-sum(map(model.log_prob, validation)) / n_tokens)
    return 1 + costs.index(min(costs)), costs


# %% ex6: the end is not counted as a token
def choose_n(train, validation, vocab_size):
    """The best length of an n-gram, and bits per token for n = 1, 2, 3, 4."""
    n_tokens = sum(map(len, validation))
    costs = []
    for n in (1, 2, 3, 4):
        model = NGram(n, k=0.01).fit(train, vocab_size)
        costs.append(-sum(map(model.log_prob, validation)) / n_tokens)
    return 1 + costs.index(min(costs)), costs


# %% ex6: the index in place of n
def choose_n(train, validation, vocab_size):
    """The best length of an n-gram, and bits per token for n = 1, 2, 3, 4."""
    n_tokens = sum(len(document) + 1 for document in validation)
    costs = []
    for n in (1, 2, 3, 4):
        model = NGram(n, k=0.01).fit(train, vocab_size)
        costs.append(-sum(map(model.log_prob, validation)) / n_tokens)
    return costs.index(min(costs)), costs


# %% ex6: the largest log-probability taken for the fewest bits, sign and all
def choose_n(train, validation, vocab_size):
    """The best length of an n-gram, and bits per token for n = 1, 2, 3, 4."""
    n_tokens = sum(len(document) + 1 for document in validation)
    costs = []
    for n in (1, 2, 3, 4):
        model = NGram(n, k=0.01).fit(train, vocab_size)
        costs.append(sum(map(model.log_prob, validation)) / n_tokens)
    return 1 + costs.index(max(costs)), costs
