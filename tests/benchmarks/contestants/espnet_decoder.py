"""ESPnet's attention modules in a decoder's loop around an LSTM cell, forward and backward."""

import torch
from espnet.nets.pytorch_backend.rnn import attentions

# So many channels and frames to either side as ours has by default.
_ARGUMENTS = {"AttAdd": (), "AttDot": (), "AttLoc": (10, 15)}


class Decoder(torch.nn.Module):
    """An LSTM that is fed each input and the last context, and attends with its output, as ESPnet's decoder does."""

    def __init__(self, attention, dim, units, cell, inputs):
        super().__init__()
        self.cell = torch.nn.LSTMCell(inputs + dim, cell)
        self.attention = getattr(attentions, attention)(dim, cell, units, *_ARGUMENTS[attention])

    def forward(self, sequences, memory):
        lengths = [memory.shape[1]] * len(memory)
        hidden, carried = (memory.new_zeros(len(memory), self.cell.hidden_size) for _ in range(2))
        context, weights, outputs = memory.new_zeros(len(memory), memory.shape[2]), None, []
        self.attention.reset()
        for x in sequences.unbind(1):
            hidden, carried = self.cell(torch.cat([x, context], dim=-1), (hidden, carried))
            context, weights = self.attention(memory, lengths, hidden, weights)
            outputs.append(torch.cat([hidden, context], dim=-1))
        return torch.stack(outputs, dim=1)


def decoder_steps(attention, batch=32, steps=50, frames=100, dim=256, units=128, cell=256, inputs=64):
    torch.manual_seed(0)
    decoder = Decoder(attention, dim, units, cell, inputs)
    arrays = [torch.randn(batch, steps, inputs), torch.randn(batch, frames, dim)]
    arrays = [array.requires_grad_() for array in arrays]
    return lambda: torch.autograd.grad(decoder(*arrays).sum(), [*arrays, *decoder.parameters()], allow_unused=True)
