# Wrong answers to the exercises of chapter 07, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: the first input again at every step
a1 = np.tanh(0.7)
a2 = np.tanh(0.7 + 1.5 * a1)
a3 = np.tanh(0.7 + 1.5 * a2)
h_after = [a1, a2, a3]
along_first = (1 - a3**2) * 1.5 * (1 - a2**2) * 1.5 * (1 - a1**2) * 0.7


# %% ex1: no tanh
h_after = [0.7, 0.7 * 1.5, 0.7 * 1.5**2]
along_first = 0.7 * 1.5**2


# %% ex1: the slopes of the tanh forgotten
a1 = np.tanh(0.7)
a2 = np.tanh(1.5 * a1)
a3 = np.tanh(1.5 * a2)
h_after = [a1, a2, a3]
along_first = 1.5 * 1.5 * 0.7


# %% ex1: u once
a1 = np.tanh(0.7)
a2 = np.tanh(1.5 * a1)
a3 = np.tanh(1.5 * a2)
h_after = [a1, a2, a3]
along_first = (1 - a3**2) * (1 - a2**2) * 1.5 * (1 - a1**2) * 0.7


# %% ex2: the update gate turned round
def gru_step(x, h, W, U, b, d):
    """The state (B, H) after one step."""
    to_r, to_z, to_n = (x @ W.T + b).chunk(3, dim=-1)
    from_r, from_z, from_n = (h @ U.T + d).chunk(3, dim=-1)
    r, z = torch.sigmoid(to_r + from_r), torch.sigmoid(to_z + from_z)
    n = torch.tanh(to_n + r * from_n)
    return z * n + (1 - z) * h


# %% ex2: reset and update swapped
def gru_step(x, h, W, U, b, d):
    """The state (B, H) after one step."""
    to_z, to_r, to_n = (x @ W.T + b).chunk(3, dim=-1)
    from_z, from_r, from_n = (h @ U.T + d).chunk(3, dim=-1)
    r, z = torch.sigmoid(to_r + from_r), torch.sigmoid(to_z + from_z)
    n = torch.tanh(to_n + r * from_n)
    return (1 - z) * n + z * h


# %% ex2: the reset gate on h, before U
def gru_step(x, h, W, U, b, d):
    """The state (B, H) after one step."""
    H = h.size(1)
    to_r, to_z, to_n = (x @ W.T + b).chunk(3, dim=-1)
    from_r, from_z, _ = (h @ U.T + d).chunk(3, dim=-1)
    r, z = torch.sigmoid(to_r + from_r), torch.sigmoid(to_z + from_z)
    n = torch.tanh(to_n + (r * h) @ U[2 * H :].T + d[2 * H :])
    return (1 - z) * n + z * h


# %% ex2: the reset gate on all that the candidate gets
def gru_step(x, h, W, U, b, d):
    """The state (B, H) after one step."""
    to_r, to_z, to_n = (x @ W.T + b).chunk(3, dim=-1)
    from_r, from_z, from_n = (h @ U.T + d).chunk(3, dim=-1)
    r, z = torch.sigmoid(to_r + from_r), torch.sigmoid(to_z + from_z)
    n = torch.tanh(r * (to_n + from_n))
    return (1 - z) * n + z * h


# %% ex3: always the full slope
def slope_by_u(x, w, u, k):
    """Slope of the last state by u, through the last k steps."""
    states = [0.0]
    for value in x:
        states.append(np.tanh(w * value + u * states[-1]))
    slope, dh = 0.0, 1.0
    for t in range(len(x), 0, -1):
        da = dh * (1 - states[t] ** 2)
        slope += da * states[t - 1]
        dh = da * u
    return slope


# %% ex3: the texts cut, and the state before them lost
def slope_by_u(x, w, u, k):
    """Slope of the last state by u, through the last k steps."""
    states = [0.0]
    for value in x[-k:]:
        states.append(np.tanh(w * value + u * states[-1]))
    slope, dh = 0.0, 1.0
    for t in range(k, 0, -1):
        da = dh * (1 - states[t] ** 2)
        slope += da * states[t - 1]
        dh = da * u
    return slope


# %% ex3: times the state after in place of before
def slope_by_u(x, w, u, k):
    """Slope of the last state by u, through the last k steps."""
    states = [0.0]
    for value in x:
        states.append(np.tanh(w * value + u * states[-1]))
    slope, dh = 0.0, 1.0
    for t in range(len(x), len(x) - k, -1):
        da = dh * (1 - states[t] ** 2)
        slope += da * states[t]
        dh = da * u
    return slope


# %% ex3: one step too few
def slope_by_u(x, w, u, k):
    """Slope of the last state by u, through the last k steps."""
    states = [0.0]
    for value in x:
        states.append(np.tanh(w * value + u * states[-1]))
    slope, dh = 0.0, 1.0
    for t in range(len(x), len(x) - k + 1, -1):
        da = dh * (1 - states[t] ** 2)
        slope += da * states[t - 1]
        dh = da * u
    return slope


# %% ex4: each clipped by itself
def clipped(gradients, longest):
    """Gradients of a common length of `longest` at most."""
    found = []
    for g in gradients:
        length = np.sqrt((g**2).sum())
        if not np.isfinite(length):
            return [np.zeros_like(one) for one in gradients]
        found.append(g * min(1, longest / max(length, 1e-12)))
    return found


# %% ex4: each number clipped
def clipped(gradients, longest):
    """Gradients of a common length of `longest` at most."""
    return [np.clip(g, -longest, longest) for g in gradients]


# %% ex4: short ones made longer
def clipped(gradients, longest):
    """Gradients of a common length of `longest` at most."""
    length = np.sqrt(sum((g**2).sum() for g in gradients))
    if not np.isfinite(length):
        return [np.zeros_like(g) for g in gradients]
    return [g * longest / max(length, 1e-12) for g in gradients]


# %% ex4: infinite ones scaled like others
def clipped(gradients, longest):
    """Gradients of a common length of `longest` at most."""
    length = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1, longest / max(length, 1e-12)) for g in gradients]


# %% ex4: only infinity counts as not finite
def clipped(gradients, longest):
    """Gradients of a common length of `longest` at most."""
    length = np.sqrt(sum((g**2).sum() for g in gradients))
    if np.isinf(length):
        return [np.zeros_like(g) for g in gradients]
    return [g * min(1, longest / max(length, 1e-12)) for g in gradients]


# %% ex4: in place
def clipped(gradients, longest):
    """Gradients of a common length of `longest` at most."""
    length = np.sqrt(sum((g**2).sum() for g in gradients))
    if not np.isfinite(length):
        return [np.zeros_like(g) for g in gradients]
    for g in gradients:
        g *= min(1, longest / max(length, 1e-12))
    return gradients


# %% ex5: only the forward half mended
def read_to_the_end(outputs, lengths):
    """What both directions know at the end of their reading, (B, 2 H)."""
    return outputs[torch.arange(len(outputs)), lengths - 1]


# %% ex5: only the backward half mended
def read_to_the_end(outputs, lengths):
    """What both directions know at the end of their reading, (B, 2 H)."""
    H = outputs.size(2) // 2
    return torch.cat([outputs[:, -1, :H], outputs[:, 0, H:]], dim=1)


# %% ex5: halves swapped
def read_to_the_end(outputs, lengths):
    """What both directions know at the end of their reading, (B, 2 H)."""
    H = outputs.size(2) // 2
    rows = torch.arange(len(outputs))
    return torch.cat([outputs[:, 0, H:], outputs[rows, lengths - 1, :H]], dim=1)


# %% ex5: a step too far back
def read_to_the_end(outputs, lengths):
    """What both directions know at the end of their reading, (B, 2 H)."""
    H = outputs.size(2) // 2
    rows = torch.arange(len(outputs))
    return torch.cat([outputs[rows, lengths - 2, :H], outputs[:, 0, H:]], dim=1)


# %% ex6: only the names compared
def problems(model, file):
    """What does not fit, one line each."""
    found = [f"missing {name}" for name in model.keys() - file.keys()]
    found += [f"unexpected {name}" for name in file.keys() - model.keys()]
    return sorted(found)


# %% ex6: missing and unexpected swapped
def problems(model, file):
    """What does not fit, one line each."""
    found = [f"unexpected {name}" for name in model.keys() - file.keys()]
    found += [f"missing {name}" for name in file.keys() - model.keys()]
    for name in model.keys() & file.keys():
        if model[name] != file[name]:
            found.append(f"{name} is {file[name]}, expected {model[name]}")
    return sorted(found)


# %% ex6: numbers of elements compared, not shapes
def problems(model, file):
    """What does not fit, one line each."""
    found = [f"missing {name}" for name in model.keys() - file.keys()]
    found += [f"unexpected {name}" for name in file.keys() - model.keys()]
    for name in model.keys() & file.keys():
        if np.prod(model[name]) != np.prod(file[name]):
            found.append(f"{name} is {file[name]}, expected {model[name]}")
    return sorted(found)


# %% ex6: what the file has too much is overlooked
def problems(model, file):
    """What does not fit, one line each."""
    found = []
    for name, shape in model.items():
        if name not in file:
            found.append(f"missing {name}")
        elif file[name] != shape:
            found.append(f"{name} is {file[name]}, expected {shape}")
    return sorted(found)
