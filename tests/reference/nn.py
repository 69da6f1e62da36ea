#!/usr/bin/env python3
# tests/reference/nn.py: values and gradients of layers as PyTorch computes them, for tests/nn/reference_test.cpp.
#
# Run: python3 nn.py > nn.txt   (PyTorch 1.13 or newer). Nothing is random: element k of parameter p is 0.5 sin(k + p),
# element k of the input is cos(0.7 k). Each line is a name and numbers; layouts are this library's, channels last.
#
# SPDX-License-Identifier: MIT
import torch

torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=17)


def fill(parameters):
    for p, w in enumerate(parameters):
        k = torch.arange(w.numel(), dtype=torch.float64)
        with torch.no_grad():
            w.copy_((0.5 * torch.sin(k + p)).reshape(w.shape))


def wave(*shape):
    n = 1
    for extent in shape:
        n *= extent
    return torch.cos(0.7 * torch.arange(n, dtype=torch.float64)).reshape(shape)


def show(name, tensor):
    print(name, *[f"{v:.15g}" for v in tensor.detach().reshape(-1).tolist()])


def show_gradients(name, output, x, parameters):
    """Gradients of sum(output * wave): by the input, and the sum of squares of each parameter's."""
    show(name + ".output", output)
    total = (output * wave(*output.shape)).sum()
    grads = torch.autograd.grad(total, [x, *parameters])
    show(name + ".grad_input", grads[0])
    show(name + ".grad_squares", torch.stack([(g * g).sum() for g in grads[1:]]))


def recurrent(name, layer, x):
    fill(layer.parameters())  # order per layer and direction: weight_ih, weight_hh, bias_ih, bias_hh, as ours
    x = x.requires_grad_()
    output, state = layer(x)
    show_gradients(name, output, x, list(layer.parameters()))
    for part, value in zip(("hidden", "memory"), state if isinstance(state, tuple) else (state,)):
        show(f"{name}.{part}", value)


recurrent("gru", torch.nn.GRU(3, 2, batch_first=True), wave(2, 4, 3))
recurrent("gru2", torch.nn.GRU(3, 2, num_layers=2, bidirectional=True, batch_first=True), wave(2, 3, 3))
recurrent("lstm", torch.nn.LSTM(3, 2, batch_first=True), wave(2, 4, 3))
recurrent("lstm2", torch.nn.LSTM(3, 2, num_layers=2, bidirectional=True, batch_first=True), wave(2, 3, 3))


def attention(name, queries, keys, causal):
    layer = torch.nn.MultiheadAttention(4, 2, batch_first=True)
    fill(layer.parameters())  # in_proj_weight, in_proj_bias, out_proj.weight, out_proj.bias
    x = wave(2, queries, 4).requires_grad_()
    memory = x if keys is None else wave(2, keys, 4) * 0.5
    mask = torch.triu(torch.ones(queries, queries, dtype=torch.bool), 1) if causal else None
    output, _ = layer(x, memory, memory, attn_mask=mask, need_weights=False)
    show_gradients(name, output, x, list(layer.parameters()))


attention("attention", 3, None, False)
attention("attention_causal", 3, None, True)
attention("attention_cross", 3, 5, False)


def norm(name, layer, x_last, channels_last):
    """x_last is channels last; PyTorch wants channels second except for layer norm."""
    fill(layer.parameters())
    x = x_last.requires_grad_()
    rank = x.dim()
    if channels_last or rank == 2:
        output = layer(x)
    else:
        output = layer(x.permute(0, rank - 1, *range(1, rank - 1))).permute(0, *range(2, rank), 1)
    show_gradients(name, output, x, list(layer.parameters()))


batch = torch.nn.BatchNorm2d(3)
norm("batch_norm", batch, wave(2, 2, 2, 3), False)
show("batch_norm.mean", batch.running_mean)
show("batch_norm.var", batch.running_var)
batch.eval()
norm("batch_norm_inference", batch, wave(2, 2, 2, 3), False)
norm("layer_norm", torch.nn.LayerNorm(5), wave(2, 3, 5), True)
norm("group_norm", torch.nn.GroupNorm(2, 4), wave(2, 3, 2, 4), False)
norm("instance_norm", torch.nn.InstanceNorm2d(3, affine=True), wave(2, 2, 3, 3), False)

