"""Stochastic gradient descent one image at a time, compiled: forward, backward and Adam in one pass.

At batch size 1 the gradient of a dense layer is the outer product of its input and its delta, so a
row of the kernel whose input is zero gets none. Adam then only decays that row's moments and moves
its weights by the old momentum, which can wait until the row is next needed: after k idle steps,
with r = beta_1 / sqrt(beta_2) and alpha_j the learning rate of step j freed of bias,

    w -= c m / (sqrt(v) + epsilon),   c = sum over i = 1..k of alpha_{t+i} r^i
    m *= beta_1^k,   v *= beta_2^k

as if epsilon decayed with sqrt(v). What that assumption gets wrong is put right to first order: with
q = sqrt(beta_2) the sum becomes c - e (c' - c), e = epsilon / (sqrt(v) + epsilon), c' = sum of
alpha_{t+i} (r / q)^i.

Memory: a layer's `state` holds for each input a row of weights, of their first and of their second moments,
and last such a row for the bias, whose input is 1. Rows are padded to whole vectors; the padding stays zero.
"""

from __future__ import annotations

import math

import numpy as np

from fairtrial.engine.compiled import compiled, kept

LANES = 16
"""float32 numbers of the widest vector register, and of a cache line."""

ACTIVATIONS = ["linear", "relu", "sigmoid", "tanh", "gelu", "elu", "selu", "silu", "leaky_relu", "softplus"]
"""Activations by the code the kernel knows them by."""

_RELU = ACTIVATIONS.index("relu")
_SELU_SCALE, _SELU_ALPHA = np.float32(1.0507009873554805), np.float32(1.6732632423543772)
_LEAK = np.float32(0.2)
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_BRIGHTEST = np.float32(255)


@kept
def run(order, pixels, labels, shape, state, last, tables, adam, first_step, logits):
    """Train on the images `order`, one after another; each one's logits go into `logits` (n, classes).

    pixels (images, inputs) and labels (images,) are bytes. `shape` has a row per layer: inputs,
    padded units, units, code of the activation, offset into `state`, offset into `last`, 1 if there is
    a bias. `last` (a number per row) is the step that row was last updated in. `tables` has a row for
    each of: beta_1^k, beta_2^k, r^k, (r / q)^k, alpha of step k, and what is left of the sums of c
    and c' after step k were they to go on to the end of the epoch. `adam` is beta_1, beta_2,
    epsilon. Steps count from 1 within the epoch; `first_step` is the number of the first one here.
    """
    layers = shape.shape[0]
    widest = max(shape[:, 0].max(), shape[:, 1].max())
    inputs = np.zeros((layers + 1, widest), np.float32)
    sums = np.zeros((layers, widest), np.float32)
    active = np.zeros((layers + 1, widest), np.int64)
    count = np.zeros(layers + 1, np.int64)
    delta, behind = np.zeros(widest, np.float32), np.zeros(widest, np.float32)
    classes = shape[layers - 1, 2]
    epsilon = np.float32(adam[2])
    for at in range(len(order)):
        step = first_step + at
        image = pixels[order[at]]
        lit = 0
        for i in range(len(image)):
            if image[i] != 0:
                inputs[0, i] = np.float32(image[i]) / _BRIGHTEST
                active[0, lit] = i
                lit += 1
        count[0] = lit
        for k in range(layers):
            rows = active[k, : count[k]]
            _wake(rows, step - 1, shape[k], state, last, tables, epsilon)
            _forward(rows, inputs[k], shape[k], state, sums[k])
            count[k + 1] = _activate(shape[k, 3], sums[k, : shape[k, 2]], inputs[k + 1], active[k + 1])
        logits[at, :] = inputs[layers, :classes]
        _output_delta(logits[at], labels[order[at]], delta)
        for k in range(layers - 1, -1, -1):
            delta[shape[k, 2] : shape[k, 1]] = _ZERO
            _backward(
                active[k, : count[k]], step, shape[k], state, last, tables, adam, inputs[k], delta, behind
            )
            if k:
                _through(shape[k - 1, 3], sums[k - 1, : shape[k - 1, 2]], inputs[k], behind, delta)


@kept
def settle(step, shape, state, last, tables, epsilon):
    """Catch every row up with `step`, as if none had waited."""
    for k in range(shape.shape[0]):
        rows = np.arange(shape[k, 0])
        _wake(rows, step, shape[k], state, last, tables, epsilon)
        padded, base = shape[k, 1], shape[k, 5]
        for row in rows:
            idle = step - last[base + row]
            begin = shape[k, 4] + row * 3 * padded
            first, second = np.float32(tables[0, idle]), np.float32(tables[1, idle])
            for j in range(begin + padded, begin + 2 * padded):
                state[j] *= first
            for j in range(begin + 2 * padded, begin + 3 * padded):
                state[j] *= second
            last[base + row] = step


@compiled
def _wake(rows, step, shape, state, last, tables, epsilon):
    """Move the weights of `rows` by the momentum of their idle steps up to `step`.

    Their moments are left to `_update` or `settle`, which pass over them anyway.
    """
    padded, offset, base = shape[1], shape[4], shape[5]
    for row in rows:
        since = last[base + row]
        idle = step - since
        if idle > 0:
            sum_r = tables[5, since] - tables[2, idle] * tables[5, step]
            sum_further = tables[6, since] - tables[3, idle] * tables[6, step]
            begin = offset + row * 3 * padded
            _drift(
                state[begin : begin + padded],
                state[begin + padded : begin + 2 * padded],
                state[begin + 2 * padded : begin + 3 * padded],
                np.float32(sum_r),
                np.float32(sum_further - sum_r) * epsilon,
                epsilon,
            )


@compiled
def _drift(weights, momentum, velocity, sum_r, correction, epsilon):
    for j in range(len(weights)):
        scale = _ONE / (np.sqrt(velocity[j]) + epsilon)
        weights[j] -= momentum[j] * scale * (sum_r - correction * scale)


@compiled
def _forward(rows, inputs, shape, state, sums):
    """Bias plus inputs times weights, over the active rows."""
    padded, offset = shape[1], shape[4]
    begin = offset + shape[0] * 3 * padded
    total = sums[:padded]
    total[:] = state[begin : begin + padded]
    for row in rows:
        begin = offset + row * 3 * padded
        _add_scaled(total, state[begin : begin + padded], inputs[row])


@compiled
def _add_scaled(total, weights, value):
    for j in range(len(total)):
        total[j] += value * weights[j]


@compiled
def _activate(code, sums, outputs, active):
    """Outputs of a layer, and the list and count of those the next layer's rows are active for.

    Only where the output is zero and so is the derivative may a row be left out: with ReLU.
    """
    found = 0
    for j in range(len(sums)):
        # Not `> 0`: a NaN goes on to the loss, which tells that training has diverged.
        if code == _RELU and sums[j] <= _ZERO:
            outputs[j] = _ZERO
        else:
            outputs[j] = _activated(code, sums[j])
            active[found] = j
            found += 1
    return found


@compiled
def _backward(rows, step, shape, state, last, tables, adam, inputs, delta, behind):
    """One step of Adam on the active rows and the bias; `behind` gets the loss's gradient by the inputs."""
    padded, offset, base = shape[1], shape[4], shape[5]
    alpha, epsilon = np.float32(tables[4, step]), np.float32(adam[2])
    rest_1, rest_2 = np.float32(1 - adam[0]), np.float32(1 - adam[1])
    for at in range(len(rows) + shape[6]):
        row = rows[at] if at < len(rows) else shape[0]
        value = inputs[row] if at < len(rows) else _ONE
        steps = step - last[base + row]
        begin = offset + row * 3 * padded
        slope = _update(
            state[begin : begin + padded],
            state[begin + padded : begin + 2 * padded],
            state[begin + 2 * padded : begin + 3 * padded],
            delta[:padded],
            value,
            np.float32(tables[0, steps]),
            np.float32(tables[1, steps]),
            rest_1,
            rest_2,
            alpha,
            epsilon,
        )
        if at < len(rows):
            behind[row] = slope
        last[base + row] = step


@compiled
def _update(weights, momentum, velocity, delta, value, first, second, rest_1, rest_2, alpha, epsilon):
    """Adam on one row whose gradient is value * delta; gives weights . delta as it was before."""
    total = _ZERO
    for j in range(len(weights)):
        weight, slope = weights[j], delta[j]
        total += weight * slope
        gradient = value * slope
        moved = momentum[j] * first + gradient * rest_1
        spread = velocity[j] * second + gradient * gradient * rest_2
        momentum[j] = moved
        velocity[j] = spread
        weights[j] = weight - alpha * moved / (np.sqrt(spread) + epsilon)
    return total


@compiled
def _output_delta(logits, label, delta):
    """The gradient of softmax cross-entropy by the logits."""
    classes = len(logits)
    largest = logits[0]
    for j in range(1, classes):
        largest = max(largest, logits[j])
    total = 0.0
    for j in range(classes):
        total += math.exp(np.float64(logits[j] - largest))
    for j in range(classes):
        share = math.exp(np.float64(logits[j] - largest)) / total
        # Subtracted before it is rounded: where the network is sure, the rest is all there is to learn from.
        delta[j] = np.float32(share - 1.0 if j == label else share)


@compiled
def _through(code, sums, outputs, behind, delta):
    """Back through an activation: `delta` by its inputs from `behind`, the gradient by its outputs."""
    for j in range(len(sums)):
        if code == _RELU:
            delta[j] = behind[j] if outputs[j] > _ZERO else _ZERO
        else:
            delta[j] = behind[j] * _slope(code, sums[j], outputs[j])


@compiled
def _activated(code, z):
    if code == 2:
        return _ONE / (_ONE + np.exp(-z))
    if code == 3:
        return np.tanh(z)
    if code == 4:
        return _HALF * z * (_ONE + np.float32(math.erf(z * np.float32(math.sqrt(0.5)))))
    if code == 5:
        return z if z > _ZERO else np.expm1(z)
    if code == 6:
        return _SELU_SCALE * (z if z > _ZERO else _SELU_ALPHA * np.expm1(z))
    if code == 7:
        return z / (_ONE + np.exp(-z))
    if code == 8:
        return z if z > _ZERO else _LEAK * z
    if code == 9:
        return max(z, _ZERO) + np.log1p(np.exp(-abs(z)))
    return z


@compiled
def _slope(code, z, output):
    """The activation's derivative at z, where it has the value `output`."""
    if code == 2:
        return output * (_ONE - output)
    if code == 3:
        return _ONE - output * output
    if code == 4:
        bell = np.exp(-_HALF * z * z) * np.float32(1 / math.sqrt(2 * math.pi))
        return _HALF * (_ONE + np.float32(math.erf(z * np.float32(math.sqrt(0.5))))) + z * bell
    if code == 5:
        return _ONE if z > _ZERO else output + _ONE
    if code == 6:
        return _SELU_SCALE if z > _ZERO else output + _SELU_SCALE * _SELU_ALPHA
    if code == 7:
        share = _ONE / (_ONE + np.exp(-z))
        return share + output * (_ONE - share)
    if code == 8:
        return _ONE if z > _ZERO else _LEAK
    if code == 9:
        return _ONE / (_ONE + np.exp(-z))
    return _ONE
