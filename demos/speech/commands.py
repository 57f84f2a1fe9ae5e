"""What each command does with its arguments. What is heavy is imported when it is needed."""

import json
import math
import sys

from demos.speech.errors import UserError
from demos.speech.quiet import load_tensorflow


def road(arguments):
    """Go the whole road on the embedded default."""
    load_tensorflow()
    from demos.speech import road

    places = {"run_dir": arguments.road_run, "data_dir": arguments.road_data_dir}
    road.run(**{name: value for name, value in places.items() if value}, verbose=_verbosity())


def train(arguments):
    """Train a recogniser."""
    load_tensorflow()
    from demos.speech.settings import check_resume, run_folder, settings
    from demos.speech.training import train

    config = settings(arguments)
    run = arguments.run or run_folder(config.dataset)
    if arguments.resume:
        check_resume(arguments, run)
    model = train(config, run, arguments.data_dir, arguments.resume, _verbosity())
    print(f"The best model is in {model}; to see how good it is: python -m demos.speech evaluate --model {run}")


def train_lm(arguments):
    """Train a language model, which helps the search of a recogniser."""
    load_tensorflow()
    from demos.speech.language_model_config import LanguageModelConfig
    from demos.speech.language_model_texts import of_corpus, of_file
    from demos.speech.language_model_training import check_output, train_language_model
    from demos.speech.loading import open_model, run_config
    from demos.speech.plot import corpus_of
    from demos.speech.settings import given

    output = check_output(arguments.output, arguments.model)
    vocabulary = open_model(arguments.model).vocabulary
    if arguments.text:
        sentences = of_file(arguments.text, vocabulary, run_config(arguments.model).data)
    else:
        sentences = of_corpus(corpus_of(arguments.model, arguments.dataset, arguments.data_dir), vocabulary)
    print(sentences.summary, flush=True)
    config = LanguageModelConfig(**given(arguments, LanguageModelConfig))
    perplexity = train_language_model(sentences, vocabulary, output, config, _verbosity())
    print(f"{output}: perplexity {perplexity:.2f} a token; without it all {len(vocabulary) - 1} are as likely")


def self_train(arguments):
    """Go on training with recordings without texts, above all of a voice that was never heard."""
    from demos.speech.segmentation import SegmentationConfig
    from demos.speech.transcribe import check_files, pieces_of_one_voice

    check_files(arguments.files)
    load_tensorflow()
    from demos.speech.self_training import self_train
    from demos.speech.self_training_config import SelfTrainingConfig
    from demos.speech.settings import given

    model = arguments.model
    run = arguments.run or (model if model.is_dir() else model.parent) / "self_trained"
    options = SelfTrainingConfig(**given(arguments, SelfTrainingConfig))

    def record(rate):
        return list(pieces_of_one_voice(arguments.files, rate, SegmentationConfig()))

    data = {"split": arguments.split, "dataset": arguments.dataset, "data_dir": arguments.data_dir}
    options = {"options": options, "verbose": _verbosity()}
    print(f"The new model is in {self_train(model, run, record if arguments.files else None, **options, **data)}")


def presets(arguments):
    """Tell how many weights the shapes of recognisers have."""
    load_tensorflow()
    from demos.speech.sizes import sizes, table

    print(table(sizes(arguments.vocabulary)))


def evaluate(arguments):
    """Measure how well a model recognises a split of the data of its run, or of other data."""
    load_tensorflow()
    if arguments.stream:
        return _evaluate_streaming(arguments)
    from demos.speech.evaluation import evaluate, print_table
    from demos.speech.settings import decoding, phrases

    data = {"split": arguments.split, "data_dir": arguments.data_dir, "dataset": arguments.dataset}
    search = {"decoding": decoding(arguments), "phrases": phrases(arguments), "adapt": arguments.adapt}
    results = evaluate(arguments.model, plots=arguments.plots, **search, **data)
    if arguments.json:
        print(json.dumps(results, ensure_ascii=False))
    else:
        print_table(results)


def ablate(arguments):
    """Compare ways of searching for the text, one rule more at a time."""
    load_tensorflow()
    from demos.speech.ablation import ablate, print_table
    from demos.speech.settings import decoding

    print_table(ablate(arguments.model, arguments.split, arguments.data_dir, decoding(arguments), arguments.dataset))


def robustness(arguments):
    """Measure how well a model does with telephone speech, noise and other bad recordings."""
    load_tensorflow()
    from demos.speech.robustness import measure_robustness, print_table
    from demos.speech.settings import decoding

    data = {"split": arguments.split, "data_dir": arguments.data_dir, "dataset": arguments.dataset}
    print_table(measure_robustness(arguments.model, decoding=decoding(arguments), **data))


def compare(arguments):
    """Train every scorer with every alignment function under the same budget, and make a page of what came of them."""
    load_tensorflow()
    from demos.speech.comparison import compare, settings
    from demos.speech.comparison_page import NAME
    from demos.speech.comparison_table import markdown

    config = settings(arguments.dataset, arguments.epochs, arguments.settings)
    folder = arguments.run
    rows = compare(config, arguments.scorers, arguments.alignments, arguments.seeds, folder, arguments.data_dir)
    print(markdown(rows))
    print(f"\n{folder / NAME}.html: the page, with the picture; beside it the same as .md, .png and .json")


def reproduce(arguments):
    """Train and measure again what the figures of the docs are of, and make the table of them."""
    from demos.speech.reproduction import reproduce

    print(reproduce(arguments.names, arguments.run, arguments.data_dir))
    print(f"\n{arguments.run / 'figures.md'}: this table; figures.json beside it has more")


def transcribe(arguments):
    """Write down what is said in audio files of any length."""
    if arguments.stream:
        return _transcribe_live(arguments)
    from demos.speech.files import check_writable
    from demos.speech.formats import choose_format, output_files
    from demos.speech.segmentation import SegmentationConfig
    from demos.speech.transcribe import DEFAULT_MODEL, check_files, open_adapted, print_recordings, transcribe_files

    files, plot = arguments.files, arguments.plot
    format = choose_format(arguments.format, arguments.output)
    targets = output_files(files, arguments.output, format)
    durations = check_files(files)
    for place in filter(None, (plot, arguments.output)):
        check_writable(place)
    if arguments.model == DEFAULT_MODEL and not arguments.model.exists():
        raise UserError(f"There is no shipped model in {arguments.model}: name one with --model")
    load_tensorflow()
    from demos.speech.loading import open_recogniser
    from demos.speech.settings import decoding, phrases

    segmentation = SegmentationConfig(arguments.pause, arguments.margin, arguments.longest)
    search = {"decoding": decoding(arguments), "phrases": phrases(arguments)}
    if arguments.one_voice:
        recogniser = open_adapted(arguments.model, files, segmentation, **search)
    else:
        recogniser = open_recogniser(arguments.model, **search)
    print_recordings(transcribe_files(files, durations, recogniser, segmentation, plot), targets, format)


def _transcribe_live(arguments):
    _check_streaming(arguments, ("output", "format", "plot", "one_voice"))
    from demos.speech.audio import check_audio

    (path, *others) = arguments.files
    if others:
        raise UserError(f"Expected one FILE with --stream. Received: {len(arguments.files)}")
    if str(path) != "-":
        check_audio(path, longest=math.inf)
    load_tensorflow()
    from demos.speech.live import file_chunks, write_live
    from demos.speech.streaming_session import open_streaming

    streaming = open_streaming(arguments.model)
    streaming.warm_up()
    print(write_live(streaming, file_chunks(path, streaming.sample_rate), arguments.pause), file=sys.stderr)


def _evaluate_streaming(arguments):
    _check_streaming(arguments, ("adapt",))
    from demos.speech.streaming_evaluation import evaluate_streaming

    results = evaluate_streaming(arguments.model, arguments.split, arguments.data_dir, arguments.dataset)
    if arguments.json:
        print(json.dumps(results))
    else:
        print("\n".join(f"{name.replace('_', ' '):<20} {value}" for name, value in results.items()))


def _check_streaming(arguments, others=()):
    """Refuse what cannot be done while a recording goes on."""
    from demos.speech.settings import decoding, phrases

    given = [*decoding(arguments), *(["phrases"] if phrases(arguments) else [])]
    given += [name for name in others if getattr(arguments, name)]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UserError(f"--stream writes the most probable letter at once: leave out {options}")


def plot(arguments):
    """Draw the alignment of an audio file, or of an utterance of a dataset."""
    from demos.speech.audio import check_audio
    from demos.speech.files import check_writable

    if arguments.file:
        check_audio(arguments.file)
    check_writable(arguments.output)
    load_tensorflow()
    from demos.speech.loading import open_recogniser
    from demos.speech.plot import corpus_of, plot_file, plot_utterance

    recogniser = open_recogniser(arguments.model)
    if arguments.file:
        plot_file(recogniser, arguments.file, arguments.output)
    else:
        corpus = corpus_of(arguments.model, arguments.dataset, arguments.data_dir)
        plot_utterance(recogniser, corpus, arguments.split, arguments.index, arguments.output)
    print(arguments.output)


def export(arguments):
    """Write the SavedModel of a trained model, for which TensorFlow alone is enough."""
    from demos.speech.files import check_writable

    model = arguments.model
    output = arguments.output or (model if model.is_dir() else model.parent) / "saved_model"
    check_writable(output)
    load_tensorflow()
    from demos.speech.export import export
    from demos.speech.settings import decoding

    export(model, output, decoding(arguments), arguments.jit_compile)
    print(f"{output}: a SavedModel; to use it: python -m demos.speech transcribe FILE --model {output}")


def _verbosity():
    """A progress bar for a person, a line an epoch for a file."""
    return 1 if sys.stdout.isatty() else 2
