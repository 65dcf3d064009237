# Wrong answers to the exercises of chapter 01, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: lower in place of casefold
def search_key(text):
    """The form of a text that a search compares."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(unicodedata.normalize("NFKC", text).split())


# %% ex1: NFC in place of NFKC
def search_key(text):
    """The form of a text that a search compares."""
    text = unicodedata.normalize("NFC", text).casefold()
    return " ".join(unicodedata.normalize("NFC", text).split())


# %% ex1: accents thrown away
def search_key(text):
    """The form of a text that a search compares."""
    text = unicodedata.normalize("NFKD", text).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c))
    return " ".join(text.split())


# %% ex1: folded before the first NFKC
def search_key(text):
    """The form of a text that a search compares."""
    return " ".join(unicodedata.normalize("NFKC", text.casefold()).split())


# %% ex1: not composed again after folding
def search_key(text):
    """The form of a text that a search compares."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


# %% ex1: spaces only at the ends
def search_key(text):
    """The form of a text that a search compares."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", text).strip()


# %% ex2: empty words kept
def monkey(n_letters, n_keys, seed):
    """Words typed at random."""
    keys = "abcdefghijklmnopqrstuvwxyz"[:n_letters] + " "
    return "".join(random.Random(seed).choices(keys, k=n_keys)).split(" ")


# %% ex2: space as likely as all letters together
def monkey(n_letters, n_keys, seed):
    """Words typed at random."""
    keys = "abcdefghijklmnopqrstuvwxyz"[:n_letters] + " " * n_letters
    return "".join(random.Random(seed).choices(keys, k=n_keys)).split()


# %% ex2: all lengths from 1 to 7 equally likely
def monkey(n_letters, n_keys, seed):
    """Words typed at random."""
    rng = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"[:n_letters]
    n_words = n_keys // (n_letters + 2)
    return ["".join(rng.choices(letters, k=rng.randint(1, 7))) for _ in range(n_words)]


# %% ex2: the seed is not used
def monkey(n_letters, n_keys, seed):
    """Words typed at random."""
    keys = "abcdefghijklmnopqrstuvwxyz"[:n_letters] + " "
    return "".join(random.Random(0).choices(keys, k=n_keys)).split()


# %% ex3: the tie broken by the larger id
by_hand = [("a", "n"), ("an", "a"), ("b", "an"), ("b", "anana")]

# %% ex3: each word counted once
by_hand = [("a", "n"), ("an", "a"), ("b", "an"), ("c", "a")]

# %% ex3: pairs of letters only, counted once at the start
by_hand = [("a", "n"), ("n", "a"), ("b", "a"), ("n", "d")]

# %% ex3: the last step by the commonest token in place of the commonest word
by_hand = [("a", "n"), ("b", "an"), ("an", "a"), ("d", "ana")]


# %% ex4: the shortest token first
def longest_match(symbols, tokens):
    """Cut off the longest known token, again and again."""
    return list(symbols)


# %% ex4: stops growing at the first string that is no token
def longest_match(symbols, tokens):
    """Cut off the longest known token, again and again."""
    text, found = "".join(symbols), []
    while text:
        end = 1
        while end < len(text) and text[: end + 1] in tokens:
            end += 1
        found.append(text[:end])
        text = text[end:]
    return found


# %% ex4: longest from the end
def longest_match(symbols, tokens):
    """Cut off the longest known token, again and again."""
    text, found = "".join(symbols), []
    while text:
        start = next(n for n in range(len(text)) if text[n:] in tokens)
        found.insert(0, text[start:])
        text = text[:start]
    return found


# %% ex4: merges in place of the longest match
def longest_match(symbols, tokens):
    """Cut off the longest known token, again and again."""
    symbols = list(symbols)
    while True:
        pairs = [(a, b) for a, b in pairwise(symbols) if a + b in tokens]
        if not pairs:
            return symbols
        symbols = merge_pair(symbols, pairs[0])


# %% ex5: the colleague's line as it was
def stream(chunks):
    """What can be shown after each token; the colleague's line is in the comment."""
    return [chunk.decode("utf-8", errors="replace") for chunk in chunks]


# %% ex5: broken bytes ignored
def stream(chunks):
    """What can be shown after each token; the colleague's line is in the comment."""
    return [chunk.decode("utf-8", errors="ignore") for chunk in chunks]


# %% ex5: everything held back until the end
def stream(chunks):
    """What can be shown after each token; the colleague's line is in the comment."""
    text = b"".join(chunks).decode("utf-8", errors="replace")
    return [""] * (len(chunks) - 1) + [text] * bool(chunks)


# %% ex5: the whole token waits, with characters that are complete
def stream(chunks):
    """What can be shown after each token; the colleague's line is in the comment."""
    shown, waiting = [], b""
    for chunk in chunks:
        waiting += chunk
        try:
            shown.append(waiting.decode("utf-8"))
            waiting = b""
        except UnicodeDecodeError:
            shown.append("")
    return shown


# %% ex5: what is left at the end is lost
def stream(chunks):
    """What can be shown after each token; the colleague's line is in the comment."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    return [decoder.decode(chunk) for chunk in chunks]


# %% ex5: a bad byte holds up all that follows
def stream(chunks):
    """What can be shown after each token; the colleague's line is in the comment."""
    shown, waiting = [], b""
    for chunk in chunks:
        waiting += chunk
        try:
            whole, rest = waiting.decode("utf-8"), b""
        except UnicodeDecodeError as error:
            whole, rest = waiting[: error.start].decode(), waiting[error.start :]
        shown.append(whole)
        waiting = rest
    if waiting:
        shown[-1] += waiting.decode("utf-8", errors="replace")
    return shown


# %% ex6: per byte
def prices(training_texts, tests):
    """Tokens per character for each list of texts."""
    trained = BytePairTokenizer.train(training_texts, 900, fast=True)
    return [
        sum(len(trained.encode(text)) for text in texts)
        / sum(len(text.encode()) for text in texts)
        for texts in tests
    ]


# %% ex6: characters per token
def prices(training_texts, tests):
    """Tokens per character for each list of texts."""
    trained = BytePairTokenizer.train(training_texts, 900, fast=True)
    return [
        sum(map(len, texts)) / sum(len(trained.encode(text)) for text in texts)
        for texts in tests
    ]


# %% ex6: mean of the texts' own prices
def prices(training_texts, tests):
    """Tokens per character for each list of texts."""
    trained = BytePairTokenizer.train(training_texts, 900, fast=True)
    return [
        sum(len(trained.encode(text)) / len(text) for text in texts) / len(texts)
        for texts in tests
    ]


# %% ex6: 900 merges in place of 900 tokens
def prices(training_texts, tests):
    """Tokens per character for each list of texts."""
    trained = BytePairTokenizer.train(training_texts, 257 + 900, fast=True)
    return [
        sum(len(trained.encode(text)) for text in texts) / sum(map(len, texts))
        for texts in tests
    ]


# %% ex6: the chapter's tokenizer
def prices(training_texts, tests):
    """Tokens per character for each list of texts."""
    return [
        sum(len(tokenizer.encode(text)) for text in texts) / sum(map(len, texts))
        for texts in tests
    ]


# %% ex6: trained on the tests as well
def prices(training_texts, tests):
    """Tokens per character for each list of texts."""
    texts = [*training_texts, *(text for texts in tests for text in texts)]
    trained = BytePairTokenizer.train(texts, 900, fast=True)
    return [
        sum(len(trained.encode(text)) for text in texts) / sum(map(len, texts))
        for texts in tests
    ]
