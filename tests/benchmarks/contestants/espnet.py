"""ESPnet's attention, on torch."""

import torch
from contestants import versions as _versions
from espnet.nets.pytorch_backend.rnn import attentions


def versions():
    return _versions.of("espnet", "torch")


class DecoderSteps(torch.nn.Module):
    """The loop of ESPnet's decoder over inputs that are all known, with one LSTM and what it heard in its output.

    As there, the state of the step before asks, and the context goes into the LSTM beside the input.
    """

    def __init__(self, attention, input_dim, dim, lstm):
        super().__init__()
        self.attention, self.cell, self.lstm = attention, torch.nn.LSTMCell(input_dim + dim, lstm), lstm

    def forward(self, inputs, memory, lengths):
        self.attention.reset()
        hidden = carry = memory.new_zeros(len(memory), self.lstm)
        alignment, outputs = None, []
        for i in range(inputs.shape[1]):
            context, alignment = self.attention(memory, lengths, hidden, alignment)
            hidden, carry = self.cell(torch.cat((inputs[:, i, :], context), dim=1), (hidden, carry))
            outputs.append(torch.cat((hidden, context), dim=1))
        return torch.stack(outputs, dim=1)


def decoder_steps(attention, options, batch, frames, dim, units, lstm, steps, input_dim):
    """Teacher-forced steps of an LSTM that attends, forward and backward."""
    module = DecoderSteps(getattr(attentions, attention)(dim, lstm, units, **options), input_dim, dim, lstm)
    inputs = torch.randn(batch, steps, input_dim, requires_grad=True)
    memory = torch.randn(batch, frames, dim, requires_grad=True)
    variables, lengths = [inputs, memory, *module.parameters()], [frames] * batch

    def run():
        loss = (module(inputs, memory, lengths) ** 2).mean()
        return loss, torch.autograd.grad(loss, variables, allow_unused=True)

    return run
