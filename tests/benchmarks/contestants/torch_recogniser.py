"""A recogniser of the shape of ours, of torch's LSTMs and the attention of SpeechBrain or of ESPnet."""

import sys
import types

import torch
from contestants import versions as _versions

sys.modules.setdefault("torchaudio", types.ModuleType("torchaudio"))  # SpeechBrain wants it, but not for this

from speechbrain.decoders import seq2seq  # noqa: E402
from speechbrain.nnet import losses  # noqa: E402
from speechbrain.nnet.linear import Linear  # noqa: E402
from speechbrain.nnet.RNN import AttentionalRNNDecoder  # noqa: E402
from speechbrain.processing import features as speech  # noqa: E402

_START, _END, _FILTERS, _EMBEDDING = 1, 0, {"channels": 10, "kernel_size": 15}, 64


def versions():
    return _versions.of("speechbrain", "espnet", "torch")


class Listener(torch.nn.Module):
    """Two LSTMs of both directions; the second one hears pairs of what the first one puts out."""

    def __init__(self, bands, units):
        super().__init__()
        options = {"batch_first": True, "bidirectional": True}
        self.first, self.second = torch.nn.LSTM(bands, units, **options), torch.nn.LSTM(4 * units, units, **options)

    def forward(self, features):
        encoded = self.first(features)[0]
        batch, frames, dim = encoded.shape
        return self.second(encoded.reshape(batch, frames // 2, 2 * dim))[0]


class SpeechBrainSpeller(AttentionalRNNDecoder):
    def __init__(self, dim, lstm, units=128):
        super().__init__("lstm", "location", lstm, units, 1, enc_dim=dim, input_size=_EMBEDDING, **_FILTERS)
        self.output_dim = lstm

    def outputs(self, vectors, encoded):
        return self(vectors, encoded, torch.ones(len(encoded)))[0]


def _espnet_speller(dim, lstm, units=128):
    from contestants.espnet import DecoderSteps, attentions

    speller = DecoderSteps(attentions.AttLoc(dim, lstm, units, 10, 15), _EMBEDDING, dim, lstm)
    speller.output_dim = lstm + dim
    speller.outputs = lambda vectors, encoded: speller(vectors, encoded, [encoded.shape[1]] * len(encoded))
    return speller


_SPELLERS = {"speechbrain": SpeechBrainSpeller, "espnet": _espnet_speller}


class Recogniser(torch.nn.Module):
    def __init__(self, attention, bands, units, lstm, vocabulary):
        super().__init__()
        self.listener, self.speller = Listener(bands, units), _SPELLERS[attention](2 * units, lstm)
        self.embed = torch.nn.Embedding(vocabulary, _EMBEDDING)
        self.classify = Linear(vocabulary, input_size=self.speller.output_dim)  # whose size the searcher reads
        self.ctc = torch.nn.Linear(2 * units, vocabulary)

    def loss(self, features, tokens):
        """Cross-entropy with smoothed labels, and CTC, weighted as in ours."""
        encoded, whole = self.listener(features), torch.ones(len(features))
        inputs = torch.nn.functional.pad(tokens, (1, 0), value=_START)
        targets = torch.nn.functional.pad(tokens, (0, 1), value=_END)
        said = self.classify(self.speller.outputs(self.embed(inputs), encoded)).log_softmax(-1)
        speller = losses.nll_loss(said, targets, whole, label_smoothing=0.1)
        ctc = losses.ctc_loss(self.ctc(encoded).log_softmax(-1), tokens, whole, whole, _START)
        return 0.7 * speller + 0.3 * ctc


def training_step(attention, batch, frames, bands, units, lstm, length, vocabulary):
    """From features to new weights."""
    model = Recogniser(attention, bands, units, lstm, vocabulary)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    features, tokens = torch.randn(batch, frames, bands), torch.randint(2, vocabulary, (batch, length))

    def run():
        optimizer.zero_grad()
        loss = model.loss(features, tokens)
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


class Features(torch.nn.Module):
    """SpeechBrain's features, 10 ms apart, each utterance with mean 0 and variance 1."""

    def __init__(self, bands):
        super().__init__()
        self.stft = speech.STFT(sample_rate=16000, win_length=25, hop_length=10, n_fft=512)
        self.filters = speech.Filterbank(n_mels=bands, n_fft=512)
        self.normalization = speech.InputNormalization(norm_type="sentence")

    def forward(self, waveform, whole):
        return self.normalization(self.filters(speech.spectral_magnitude(self.stft(waveform))), whole)


def decoding(batch, frames, bands, units, lstm, steps, vocabulary, beam_width):
    """SpeechBrain's searchers, from waveforms to tokens; the end is so improbable that they go on to the last step."""
    model = Recogniser("speechbrain", bands, units, lstm, vocabulary).eval()
    with torch.no_grad():
        model.classify.w.bias[_END] = -1e4
    options = {"bos_index": _START, "eos_index": _END, "min_decode_ratio": 0, "max_decode_ratio": steps / (frames / 2)}
    searcher, more = seq2seq.S2SRNNGreedySearcher, {}
    if beam_width > 1:
        searcher, more = seq2seq.S2SRNNBeamSearcher, {"beam_size": beam_width}
    search = searcher(embedding=model.embed, decoder=model.speller, linear=model.classify, **options, **more)
    features, waveform, whole = Features(bands), 0.1 * torch.randn(batch, 160 * (frames - 1)), torch.ones(batch)
    if (heard := features(waveform, whole).shape[1]) != frames:
        raise ValueError(f"Expected {frames} frames. Received: {heard}")

    def run():
        with torch.no_grad():
            return search(model.listener(features(waveform, whole)), whole)

    said = {len(tokens) for tokens in run()[0]}
    if said != {steps} and beam_width == 1:
        raise ValueError(f"Expected {steps} steps. Received: {said}")
    return run
