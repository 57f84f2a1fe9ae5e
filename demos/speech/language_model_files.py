"""Opening language models: the recurrent ones of `train-lm`, and n-grams in ARPA files."""

from pathlib import Path

from demos.speech.errors import UserError
from keras_attn import NGramScorer, WordNGramScorer, read_arpa


def open_language_model(path, vocabulary):
    """What a file has to say of the tokens of a recogniser, as `Decoder` takes it.

    An ARPA file may be of the tokens themselves, with `<space>` for the space, or of words. It is of tokens if all its
    words are.

    Args:
        path: a `.keras` file made by `train-lm`, or an ARPA file, which may be compressed by gzip (`.gz`).
        vocabulary: the tokens of the recogniser.

    Returns:
        A scorer with functions `step` and `initial_state(batch)`.

    Raises:
        UserError: there is no such file, or it cannot be read, or it is of other tokens.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"Expected a language model, a .keras or an ARPA file. Received: {path}, which is no file")
    return _open_recurrent(path, vocabulary) if path.suffix == ".keras" else _open_ngrams(path, vocabulary)


def _open_recurrent(path, vocabulary):
    from demos.speech.language_model import LanguageModel
    from demos.speech.loading import load_keras

    model = load_keras(path, LanguageModel, "train-lm")
    if model.symbols != tuple(vocabulary.symbols):
        known = "".join(sorted(set(model.symbols) - set(vocabulary.specials)))
        raise UserError(f"Expected a language model of the tokens of the recogniser. Received: {path}, of {known!r}")
    return model


def _open_ngrams(path, vocabulary):
    try:
        ngrams = read_arpa(path)
    except ValueError as error:
        raise UserError(str(error)) from None
    words = {word for words in ngrams for word in words} - {"<s>", "<unk>"}
    if "</s>" not in words:
        raise UserError(f"Expected the end of a sentence, </s>, among the 1-grams of {path}. Received: none")
    names = arpa_names(vocabulary)
    if words <= set(names):
        return NGramScorer(ngrams, names)
    return WordNGramScorer(ngrams, vocabulary.word_parts, vocabulary.separators, vocabulary.end, vocabulary.word_starts)


def arpa_names(vocabulary):
    """How ARPA files write each token, a list.

    >>> from demos.speech.text import Vocabulary
    >>> arpa_names(Vocabulary(" ab"))
    ['</s>', '<s>', '<space>', 'a', 'b']
    """
    names = {" ": "<space>", vocabulary.symbols[vocabulary.end]: "</s>", vocabulary.symbols[vocabulary.start]: "<s>"}
    return [names.get(symbol, symbol) for symbol in vocabulary.symbols]
