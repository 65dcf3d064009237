# Wrong answers to the exercises of chapter 15, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: nats taken for bits
def bits_per_character(perplexity, n_tokens, n_characters):
    return np.log(perplexity) * n_tokens / n_characters


# %% ex1: characters over tokens
def bits_per_character(perplexity, n_tokens, n_characters):
    return np.log2(perplexity) * n_characters / n_tokens


# %% ex1: bits a token: the lengths left out
def bits_per_character(perplexity, n_tokens, n_characters):
    return np.log2(perplexity)


# %% ex1: the logarithm of the whole
def bits_per_character(perplexity, n_tokens, n_characters):
    return np.log2(perplexity * n_tokens / n_characters)


# %% ex1: rounded to two digits
def bits_per_character(perplexity, n_tokens, n_characters):
    return round(float(np.log2(perplexity)) * n_tokens / n_characters, 2)


# %% ex2: padding is a target
def padded_rows(token_lists, end, length):
    inputs = torch.full((len(token_lists), length), end)
    targets = torch.full((len(token_lists), length), end)
    for row, ids in enumerate(token_lists):
        text = torch.tensor([end, *ids, end])[: length + 1]
        inputs[row, : len(text) - 1] = text[:-1]
        targets[row, : len(text) - 1] = text[1:]
    return inputs, targets


# %% ex2: every end token masked, also the one that a text ends with
def padded_rows(token_lists, end, length):
    inputs = torch.full((len(token_lists), length), end)
    for row, ids in enumerate(token_lists):
        text = torch.tensor([end, *ids])[:length]
        inputs[row, : len(text)] = text
    targets = inputs.roll(-1, dims=1)
    targets[targets == end] = -100
    return inputs, targets


# %% ex2: targets not moved: the model moves them, it thinks
def padded_rows(token_lists, end, length):
    inputs = torch.full((len(token_lists), length), end)
    targets = torch.full((len(token_lists), length), -100)
    for row, ids in enumerate(token_lists):
        text = torch.tensor([end, *ids, end])[:length]
        inputs[row, : len(text)] = text
        targets[row, : len(text)] = text
    return inputs, targets


# %% ex2: a text that is cut ends where it is cut
def padded_rows(token_lists, end, length):
    inputs = torch.full((len(token_lists), length), end)
    targets = torch.full((len(token_lists), length), -100)
    for row, ids in enumerate(token_lists):
        text = torch.tensor([end, *ids[: length - 1], end])
        inputs[row, : len(text) - 1] = text[:-1]
        targets[row, : len(text) - 1] = text[1:]
    return inputs, targets


# %% ex2: as long as the longest text, not as long as asked
def padded_rows(token_lists, end, length):
    length = min(length, max(len(ids) + 1 for ids in token_lists))
    inputs = torch.full((len(token_lists), length), end)
    targets = torch.full((len(token_lists), length), -100)
    for row, ids in enumerate(token_lists):
        text = torch.tensor([end, *ids, end])[: length + 1]
        inputs[row, : len(text) - 1] = text[:-1]
        targets[row, : len(text) - 1] = text[1:]
    return inputs, targets


# %% ex3: labels still moved twice
def mended_train(model, batches, lr):
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.0)
    losses = []
    for rows in batches:
        loss = model(rows[:, :-1], labels=rows[:, 1:]).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% ex3: gradients never emptied
def mended_train(model, batches, lr):
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.0)
    losses = []
    for rows in batches:
        loss = model(rows, labels=rows).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% ex3: gradients emptied between backward and step
def mended_train(model, batches, lr):
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.0)
    losses = []
    for rows in batches:
        loss = model(rows, labels=rows).loss
        loss.backward()
        optimizer.zero_grad()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% ex3: gradients still cut after the step
def mended_train(model, batches, lr):
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.0)
    losses = []
    for rows in batches:
        loss = model(rows, labels=rows).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        losses.append(loss.item())
    return losses


# %% ex3: a copy is trained
def mended_train(model, batches, lr):
    model = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.0)
    losses = []
    for rows in batches:
        loss = model(rows, labels=rows).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


# %% ex4: any gain counts, however small
def stop_at(losses, patience):
    best = 0
    for now, loss in enumerate(losses):
        if loss < losses[best]:
            best = now
        if now - best >= patience:
            return best, now
    return best, len(losses) - 1


# %% ex4: compared with the one before, not with the best
def stop_at(losses, patience):
    best, bad = 0, 0
    for now, loss in enumerate(losses):
        if loss < losses[best] - 0.05:
            best = now
        if now == 0 or loss < losses[now - 1] - 0.05:
            bad = 0
        else:
            bad += 1
        if bad == patience:
            return best, now
    return best, len(losses) - 1


# %% ex4: the count is not begun anew
def stop_at(losses, patience):
    best, bad = 0, 0
    for now, loss in enumerate(losses[1:], start=1):
        if loss < losses[best] - 0.05:
            best = now
        else:
            bad += 1
        if bad == patience:
            return best, now
    return best, len(losses) - 1


# %% ex4: the best of all is kept, seen or not
def stop_at(losses, patience):
    best = 0
    for now, loss in enumerate(losses):
        if loss < losses[best] - 0.05:
            best = now
        if now - best >= patience:
            return losses.index(min(losses)), now
    return best, len(losses) - 1


# %% ex4: one too patient
def stop_at(losses, patience):
    best = 0
    for now, loss in enumerate(losses):
        if loss < losses[best] - 0.05:
            best = now
        if now - best > patience:
            return best, now
    return best, len(losses) - 1


# %% ex5: no results: None is looped over
def figures_of(text):
    results = ModelCard(text).data.eval_results
    return {r.dataset_type: r.metric_value for r in results}


# %% ex5: the data set's long name as key
def figures_of(text):
    results = ModelCard(text).data.eval_results
    return {r.dataset_name: r.metric_value for r in results or []}


# %% ex5: numbers turned into text
def figures_of(text):
    results = ModelCard(text).data.eval_results
    return {r.dataset_type: str(r.metric_value) for r in results or []}


# %% ex5: only the first result
def figures_of(text):
    for r in ModelCard(text).data.eval_results or []:
        return {r.dataset_type: r.metric_value}
    return {}


# %% ex5: the text taken for a file's name
def figures_of(text):
    results = ModelCard.load(text).data.eval_results
    return {r.dataset_type: r.metric_value for r in results or []}


# %% ex6: words that are one token already are added, too
def add_words(model, tokenizer, words):
    pieces = {" " + word: tokenizer.encode(" " + word) for word in words}
    table = model.get_input_embeddings().weight.detach().clone()
    tokenizer.add_tokens(list(pieces))
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for word, ids in pieces.items():
            row = tokenizer.convert_tokens_to_ids(word)
            model.get_input_embeddings().weight[row] = table[ids].mean(dim=0)
    return model, tokenizer


# %% ex6: added without their space
def add_words(model, tokenizer, words):
    pieces = {word: tokenizer.encode(" " + word) for word in words}
    pieces = {word: ids for word, ids in pieces.items() if len(ids) > 1}
    table = model.get_input_embeddings().weight.detach().clone()
    tokenizer.add_tokens(list(pieces))
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for word, ids in pieces.items():
            row = tokenizer.convert_tokens_to_ids(word)
            model.get_input_embeddings().weight[row] = table[ids].mean(dim=0)
    return model, tokenizer


# %% ex6: the pieces asked for after the words were added
def add_words(model, tokenizer, words):
    spaced = [" " + word for word in words]
    new = [word for word in spaced if len(tokenizer.encode(word)) > 1]
    tokenizer.add_tokens(new)
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        for word in new:
            row = tokenizer.convert_tokens_to_ids(word)
            table[row] = table[tokenizer.encode(word)].mean(dim=0)
    return model, tokenizer


# %% ex6: a copy of the model grown, the old one returned
def add_words(model, tokenizer, words):
    pieces = {" " + word: tokenizer.encode(" " + word) for word in words}
    pieces = {word: ids for word, ids in pieces.items() if len(ids) > 1}
    wider = copy.deepcopy(model)
    tokenizer.add_tokens(list(pieces))
    wider.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    table = wider.get_input_embeddings().weight
    with torch.no_grad():
        for word, ids in pieces.items():
            row = tokenizer.convert_tokens_to_ids(word)
            table[row] = table[ids].mean(dim=0)
    return model, tokenizer


# %% ex6: a table of its own for the head: no longer tied
def add_words(model, tokenizer, words):
    pieces = {" " + word: tokenizer.encode(" " + word) for word in words}
    pieces = {word: ids for word, ids in pieces.items() if len(ids) > 1}
    tokenizer.add_tokens(list(pieces))
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        for word, ids in pieces.items():
            row = tokenizer.convert_tokens_to_ids(word)
            table[row] = table[ids].mean(dim=0)
    return model, tokenizer
