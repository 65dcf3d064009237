# Wrong answers to the exercises of chapter 05, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.


# %% ex1: round robin over texts
def group_folds(groups, k):
    """The fold of each text; no group is cut."""
    return [i % k for i in range(len(groups))]


# %% ex1: groups in the order of their first text
def group_folds(groups, k):
    """The fold of each text; no group is cut."""
    fold_of = {}
    for group in groups:
        fold_of.setdefault(group, len(fold_of) % k)
    return [fold_of[group] for group in groups]


# %% ex1: largest first, but in turns
def group_folds(groups, k):
    """The fold of each text; no group is cut."""
    by_size = sorted(dict.fromkeys(groups), key=lambda g: -groups.count(g))
    fold_of = {group: i % k for i, group in enumerate(by_size)}
    return [fold_of[group] for group in groups]


# %% ex1: the fold with the fewest groups
def group_folds(groups, k):
    """The fold of each text; no group is cut."""
    filled, fold_of = [0] * k, {}
    for group in sorted(dict.fromkeys(groups), key=lambda g: groups.count(g)):
        fold_of[group] = filled.index(min(filled))
        filled[fold_of[group]] += 1
    return [fold_of[group] for group in groups]


# %% ex1: a fold for each group, not for each text
def group_folds(groups, k):
    """The fold of each text; no group is cut."""
    return [i % k for i, _ in enumerate(dict.fromkeys(groups))]


# %% ex2: subtracted in place of multiplied
by_decay = 2.0 - 500 * 0.01 * 0.1
first_step = 0.01

# %% ex2: the decay without the learning rate
by_decay = 2.0 * (1 - 0.1) ** 500
first_step = 0.01

# %% ex2: the penalty's step as gradient descent takes it
by_decay = 2.0 * (1 - 0.01 * 0.1) ** 500
first_step = 0.01 * 0.1 * 2.0

# %% ex2: one step too few
by_decay = 2.0 * (1 - 0.01 * 0.1) ** (500 - 1)
first_step = 0.01

# %% ex2: what is left after the step in place of the step
by_decay = 2.0 * (1 - 0.01 * 0.1) ** 500
first_step = 2.0 - 0.01


# %% ex3: the axis alone
def mended_norm(x, gain, shift, mean, var, is_training):
    """Output (B, C), and the new running mean (C,) and variance (C,)."""
    m, s = x.mean(axis=0), x.var(axis=0)
    mean, var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * s
    return (x - m) / np.sqrt(s + 1e-5) * gain + shift, mean, var


# %% ex3: evaluation still with the batch
def mended_norm(x, gain, shift, mean, var, is_training):
    """Output (B, C), and the new running mean (C,) and variance (C,)."""
    m, s = x.mean(axis=0), x.var(axis=0)
    if is_training:
        mean, var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * x.var(axis=0, ddof=1)
    return (x - m) / np.sqrt(s + 1e-5) * gain + shift, mean, var


# %% ex3: the variance that is kept divides by B
def mended_norm(x, gain, shift, mean, var, is_training):
    """Output (B, C), and the new running mean (C,) and variance (C,)."""
    if not is_training:
        return (x - mean) / np.sqrt(var + 1e-5) * gain + shift, mean, var
    m, s = x.mean(axis=0), x.var(axis=0)
    mean, var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * s
    return (x - m) / np.sqrt(s + 1e-5) * gain + shift, mean, var


# %% ex3: B - 1 in the output as well
def mended_norm(x, gain, shift, mean, var, is_training):
    """Output (B, C), and the new running mean (C,) and variance (C,)."""
    if not is_training:
        return (x - mean) / np.sqrt(var + 1e-5) * gain + shift, mean, var
    m, s = x.mean(axis=0), x.var(axis=0, ddof=1)
    mean, var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * s
    return (x - m) / np.sqrt(s + 1e-5) * gain + shift, mean, var


# %% ex3: the memory moves in evaluation, too
def mended_norm(x, gain, shift, mean, var, is_training):
    """Output (B, C), and the new running mean (C,) and variance (C,)."""
    m, s = x.mean(axis=0), x.var(axis=0)
    new_mean, new_var = 0.9 * mean + 0.1 * m, 0.9 * var + 0.1 * x.var(axis=0, ddof=1)
    if not is_training:
        m, s = mean, var
    return (x - m) / np.sqrt(s + 1e-5) * gain + shift, new_mean, new_var


# %% ex4: He for everybody
def start_std(f, n_in):
    """Standard deviation of weights that keeps the variance of the sums."""
    return (2 / n_in) ** 0.5


# %% ex4: the variance of f in place of its mean square
def start_std(f, n_in):
    """Standard deviation of weights that keeps the variance of the sums."""
    z = np.random.default_rng(0).normal(size=1_000_000)
    return 1 / np.sqrt(n_in * f(z).var())


# %% ex4: a variance, not a standard deviation
def start_std(f, n_in):
    """Standard deviation of weights that keeps the variance of the sums."""
    z = np.random.default_rng(0).normal(size=1_000_000)
    return 1 / (n_in * (f(z) ** 2).mean())


# %% ex4: an even grid without the density
def start_std(f, n_in):
    """Standard deviation of weights that keeps the variance of the sums."""
    z = np.linspace(-3, 3, 10_001)
    return 1 / np.sqrt(n_in * (f(z) ** 2).mean())


# %% ex5: the last epoch is kept
def stop_early(losses, patience):
    """Last epoch, and the epoch that is kept."""
    best = 1
    for epoch, loss in enumerate(losses, start=1):
        if loss < losses[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return epoch, epoch
    return len(losses), len(losses)


# %% ex5: an equal loss is taken as new
def stop_early(losses, patience):
    """Last epoch, and the epoch that is kept."""
    best = 1
    for epoch, loss in enumerate(losses, start=1):
        if loss <= losses[best - 1]:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses), best


# %% ex5: compares with the epoch before, not with the best
def stop_early(losses, patience):
    """Last epoch, and the epoch that is kept."""
    worse = 0
    for i in range(1, len(losses)):
        worse = worse + 1 if losses[i] >= losses[i - 1] else 0
        if worse >= patience:
            return i + 1, int(np.argmin(losses[: i + 1])) + 1
    return len(losses), int(np.argmin(losses)) + 1


# %% ex5: sees the whole list first
def stop_early(losses, patience):
    """Last epoch, and the epoch that is kept."""
    best = int(np.argmin(losses)) + 1
    return min(len(losses), best + patience), best


# %% ex5: counts from 0
def stop_early(losses, patience):
    """Last epoch, and the epoch that is kept."""
    best = 0
    for epoch, loss in enumerate(losses):
        if loss < losses[best]:
            best = epoch
        if epoch - best >= patience:
            return epoch, best
    return len(losses) - 1, best


# %% ex6: after minus before
def sign_flips(before, after):
    """One-sided p of a paired improvement, over all exchanges within pairs."""
    from itertools import product

    gains = np.subtract(after, before)
    signs = np.array(list(product([1, -1], repeat=len(gains))))
    return ((signs * gains).mean(axis=1) >= gains.mean() - 1e-12).mean()


# %% ex6: two-sided
def sign_flips(before, after):
    """One-sided p of a paired improvement, over all exchanges within pairs."""
    from itertools import product

    gains = np.subtract(before, after)
    signs = np.array(list(product([1, -1], repeat=len(gains))))
    means = abs((signs * gains).mean(axis=1))
    return (means >= abs(gains.mean()) - 1e-12).mean()


# %% ex6: strictly larger, so that the observed way does not count
def sign_flips(before, after):
    """One-sided p of a paired improvement, over all exchanges within pairs."""
    from itertools import product

    gains = np.subtract(before, after)
    signs = np.array(list(product([1, -1], repeat=len(gains))))
    return ((signs * gains).mean(axis=1) > gains.mean() + 1e-12).mean()


# %% ex6: signs alone, without sizes
def sign_flips(before, after):
    """One-sided p of a paired improvement, over all exchanges within pairs."""
    from math import comb

    n = len(before)
    better = sum(b > a for b, a in zip(before, after, strict=True))
    return sum(comb(n, k) for k in range(better, n + 1)) / 2**n


# %% ex6: no allowance for rounding
def sign_flips(before, after):
    """One-sided p of a paired improvement, over all exchanges within pairs."""
    from itertools import product

    gains = np.subtract(before, after)
    signs = np.array(list(product([1, -1], repeat=len(gains))))
    return ((signs * gains).sum(axis=1) / len(gains) > gains.mean()).mean()
