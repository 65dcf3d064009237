# Wrong answers to the exercises of chapter 04, each as a student would leave the cell.
# They are text for tests of the grader: none of them runs by itself.

# %% ex1: logarithm of a probability that may be 0
def bce(z, y):
    """Binary cross-entropy and its slope, from scores."""
    p = 1 / (1 + np.exp(-z))
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)), p - y


# %% ex1: slope by p in place of z
def bce(z, y):
    """Binary cross-entropy and its slope, from scores."""
    p = 0.5 * (1 + np.tanh(z / 2))
    return np.logaddexp(0, z) - y * z, (p - y) * p * (1 - p)


# %% ex1: the sign of the slope turned round
def bce(z, y):
    """Binary cross-entropy and its slope, from scores."""
    p = 0.5 * (1 + np.tanh(z / 2))
    return np.logaddexp(0, z) - y * z, y - p


# %% ex1: the mean of the batch
def bce(z, y):
    """Binary cross-entropy and its slope, from scores."""
    p = 0.5 * (1 + np.tanh(z / 2))
    return np.mean(np.logaddexp(0, z) - y * z), (p - y) / len(z)


# %% ex1: bits in place of nats
def bce(z, y):
    """Binary cross-entropy and its slope, from scores."""
    p = 0.5 * (1 + np.tanh(z / 2))
    return (np.logaddexp(0, z) - y * z) / np.log(2), (p - y) / np.log(2)


# %% ex2: the slope of a sigmoid where there is none
def sigmoid(v):
    return 1 / (1 + np.exp(-v))


y_hat = 0.5 * 17 + 2
loss_then = (y_hat - 43) ** 2 / 2
by_b = (y_hat - 43) * sigmoid(y_hat) * (1 - sigmoid(y_hat))
by_w = by_b * 17
w_new = 0.5 - 0.001 * by_w


# %% ex2: truth minus prediction
y_hat = 0.5 * 17 + 2
loss_then = (y_hat - 43) ** 2 / 2
by_b = 43 - y_hat
by_w = by_b * 17
w_new = 0.5 - 0.001 * by_w


# %% ex2: the half forgotten
y_hat = 0.5 * 17 + 2
loss_then = (y_hat - 43) ** 2
by_b = 2 * (y_hat - 43)
by_w = by_b * 17
w_new = 0.5 - 0.001 * by_w


# %% ex2: times the weight in place of the input
y_hat = 0.5 * 17 + 2
loss_then = (y_hat - 43) ** 2 / 2
by_b = y_hat - 43
by_w = by_b * 0.5
w_new = 0.5 - 0.001 * by_w


# %% ex2: a step uphill
y_hat = 0.5 * 17 + 2
loss_then = (y_hat - 43) ** 2 / 2
by_b = y_hat - 43
by_w = by_b * 17
w_new = 0.5 + 0.001 * by_w


# %% ex3: the colleague's lines as they were
def mended_slopes(w1, w2, x, y):
    """Slopes by w1 (H,) and w2 (H,) for numbers x and y."""
    h = 1 / (1 + np.exp(-w1 * x))
    y_hat = w2 @ h
    error = (y_hat - y) * y_hat * (1 - y_hat)
    return error * w2 * x, error * h


# %% ex3: only the slope at the output taken away
def mended_slopes(w1, w2, x, y):
    """Slopes by w1 (H,) and w2 (H,) for numbers x and y."""
    h = 1 / (1 + np.exp(-w1 * x))
    error = w2 @ h - y
    return error * w2 * x, error * h


# %% ex3: only the slope of the hidden units put in
def mended_slopes(w1, w2, x, y):
    """Slopes by w1 (H,) and w2 (H,) for numbers x and y."""
    h = 1 / (1 + np.exp(-w1 * x))
    y_hat = w2 @ h
    error = (y_hat - y) * y_hat * (1 - y_hat)
    return error * w2 * h * (1 - h) * x, error * h


# %% ex3: the slope of the hidden units in both
def mended_slopes(w1, w2, x, y):
    """Slopes by w1 (H,) and w2 (H,) for numbers x and y."""
    h = 1 / (1 + np.exp(-w1 * x))
    error = w2 @ h - y
    return error * w2 * h * (1 - h) * x, error * h * (1 - h)


# %% ex3: truth minus prediction
def mended_slopes(w1, w2, x, y):
    """Slopes by w1 (H,) and w2 (H,) for numbers x and y."""
    h = 1 / (1 + np.exp(-w1 * x))
    error = y - w2 @ h
    return error * w2 * h * (1 - h) * x, error * h


# %% ex4: overwritten in place of added
def slopes_of(graph, output):
    """Slopes of the output by all that it depends on."""
    slopes = {output: 1.0}

    def walk(name):
        for source, slope in graph[name]:
            slopes[source] = slope * slopes[name]
            walk(source)

    walk(output)
    return slopes


# %% ex4: goes on before all ways have come
def slopes_of(graph, output):
    """Slopes of the output by all that it depends on."""
    slopes, seen, queue = {output: 1.0}, {output}, [output]
    while queue:
        name = queue.pop(0)
        for source, slope in graph[name]:
            slopes[source] = slopes.get(source, 0.0) + slope * slopes[name]
            if source not in seen:
                seen.add(source)
                queue.append(source)
    return slopes


# %% ex4: the product along all ways
def slopes_of(graph, output):
    """Slopes of the output by all that it depends on."""
    slopes = {output: 1.0}

    def walk(name):
        for source, slope in graph[name]:
            slopes[source] = slopes.get(source, 1.0) * slope * slopes[name]
            walk(source)

    walk(output)
    return slopes


# %% ex4: a zero for all that the output does not use
def slopes_of(graph, output):
    """Slopes of the output by all that it depends on."""
    order, seen = [], set()

    def visit(name):
        if name not in seen:
            seen.add(name)
            for source, _ in graph[name]:
                visit(source)
            order.append(name)

    visit(output)
    slopes = dict.fromkeys(graph, 0.0)
    slopes[output] = 1.0
    for name in reversed(order):
        for source, slope in graph[name]:
            slopes[source] += slope * slopes[name]
    return slopes


# %% ex4: in the order in which the dictionary has them
def slopes_of(graph, output):
    """Slopes of the output by all that it depends on."""
    slopes = dict.fromkeys(graph, 0.0)
    slopes[output] = 1.0
    for name in graph:
        for source, slope in graph[name]:
            slopes[source] += slope * slopes[name]
    return {name: slope for name, slope in slopes.items() if slope}


# %% ex5: with Adam's correction of the start
def rmsprop(start, gradients, lr, beta):
    """The path of RMSprop, (T + 1, n)."""
    path, square = [np.array(start, dtype=float)], 0.0
    for t, gradient in enumerate(gradients, 1):
        square = beta * square + (1 - beta) * gradient**2
        root = np.sqrt(square / (1 - beta**t))
        path.append(path[-1] - lr * gradient / (root + 1e-8))
    return np.array(path)


first_step = 1.0


# %% ex5: divided by the mean square, not by its root
def rmsprop(start, gradients, lr, beta):
    """The path of RMSprop, (T + 1, n)."""
    path, square = [np.array(start, dtype=float)], 0.0
    for gradient in gradients:
        square = beta * square + (1 - beta) * gradient**2
        path.append(path[-1] - lr * gradient / (square + 1e-8))
    return np.array(path)


first_step = 10.0


# %% ex5: no memory
def rmsprop(start, gradients, lr, beta):
    """The path of RMSprop, (T + 1, n)."""
    path = [np.array(start, dtype=float)]
    for gradient in gradients:
        square = (1 - beta) * gradient**2
        path.append(path[-1] - lr * gradient / (np.sqrt(square) + 1e-8))
    return np.array(path)


first_step = 10.0


# %% ex5: beta and 1 - beta exchanged
def rmsprop(start, gradients, lr, beta):
    """The path of RMSprop, (T + 1, n)."""
    path, square = [np.array(start, dtype=float)], 0.0
    for gradient in gradients:
        square = (1 - beta) * square + beta * gradient**2
        path.append(path[-1] - lr * gradient / (np.sqrt(square) + 1e-8))
    return np.array(path)


first_step = 10.0


# %% ex5: right path, but the first step is said to be Adam's
def rmsprop(start, gradients, lr, beta):
    """The path of RMSprop, (T + 1, n)."""
    path, square = [np.array(start, dtype=float)], 0.0
    for gradient in gradients:
        square = beta * square + (1 - beta) * gradient**2
        path.append(path[-1] - lr * gradient / (np.sqrt(square) + 1e-8))
    return np.array(path)


first_step = 1.0


# %% ex6: the sum in place of the mean
def largest_rate(X):
    """Limit of the learning rate for linear regression on the rows of X."""
    return 2 / np.linalg.norm(X, ord=2) ** 2


# %% ex6: the singular value not squared
def largest_rate(X):
    """Limit of the learning rate for linear regression on the rows of X."""
    return 2 / (np.linalg.norm(X, ord=2) / len(X))


# %% ex6: the least curvature
def largest_rate(X):
    """Limit of the learning rate for linear regression on the rows of X."""
    return 2 / np.linalg.eigvalsh(X.T @ X / len(X))[0]


# %% ex6: the largest curvature along an axis
def largest_rate(X):
    """Limit of the learning rate for linear regression on the rows of X."""
    return 2 / (X**2).mean(axis=0).max()


# %% ex6: all curvatures added up
def largest_rate(X):
    """Limit of the learning rate for linear regression on the rows of X."""
    return 2 / np.trace(X.T @ X / len(X))
