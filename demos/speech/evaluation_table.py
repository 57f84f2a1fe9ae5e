"""The results of an evaluation as a person wants to read them."""

import textwrap


def format_table(results):
    """The table of what `evaluate` returns, a string."""
    parts = [_header(results), _section("Text", _text_rows(results))]
    parts.append(_section(f"Alignment, {results['correct_words']} words recognised right", _alignment_rows(results)))
    parts.append(_utterances("The worst utterances", results["worst"]))
    parts.append(_utterances("Others", results["ordinary"]))
    return "\n\n".join(part for part in parts if part)


def _header(results):
    minutes = results["audio_seconds"] / 60
    return (
        f"{results['dataset']}, {results['split']}: {results['utterances']} utterances, {results['words']} words, "
        f"{minutes:.1f} minutes\n"
        f"{results['model']}, beam width {results['decoding']['beam_width']}, recognised in {results['seconds']:.1f} s "
        f"(real-time factor {results['real_time_factor']:.3f})"
    )


def _text_rows(results):
    edits = "{substitutions} wrong, {insertions} too many, {deletions} missing".format(**results)
    rows = [
        ("word error rate", f"{results['wer']:.2%}", edits),
        ("character error rate", f"{results['cer']:.2%}", "the same, of characters"),
        ("sentence error rate", f"{results['sentence_error_rate']:.2%}", "utterances with any error"),
    ]
    if "unadapted_wer" in results:
        voices = f"word error rate without adaptation to {len(results['frequency_warps'])} speakers"
        rows.append(("not adapted", f"{results['unadapted_wer']:.2%}", voices))
    if "phrase_words" in results:
        rows.append(
            ("words of phrases", f"{results['phrase_wer']:.2%}", f"of {results['phrase_words']} that were said")
        )
        rows.append(("other words", f"{results['other_wer']:.2%}", "word error rate of the rest"))
    if results["unfinished"]:
        rows.append(("unfinished", str(results["unfinished"]), "utterances cut at the limit of length"))
    if results["looped"]:
        rows.append(("looped", str(results["looped"]), "utterances in which words are repeated over and over"))
    if results["confidence_auc"] is not None:
        rows.append(
            ("confidence", f"{results['confidence_auc']:.1%}", "of pairs of a right and a wrong word: told apart")
        )
    return rows


def _alignment_rows(results):
    rows = []
    if results["boundary_error_ms"] is not None:
        error, most = results["boundary_error_ms"], results["boundary_error_p95_ms"]
        elsewhere = f"{results['alignment_error_rate']:.1%}"
        rows += [
            ("boundary error", f"{error:.0f} ms", "median distance of word boundaries from the true ones"),
            ("", f"{most:.0f} ms", "95% of them are nearer than this"),
            ("mass inside", f"{results['mass_inside']:.1%}", "attention of a word that lies where it is said"),
            ("alignment error rate", elsewhere, "tokens that attend most to a frame outside of their word"),
        ]
    return [
        *rows,
        ("sharpness", f"{results['sharpness']:.2f}", "1: each character attends to one frame; 0: to all alike"),
        ("monotonicity", f"{results['monotonicity']:.2f}", "share of steps that do not go back"),
        ("coverage", f"{results['coverage']:.2f}", "1: all frames are attended to alike; 0: few are"),
    ]


def _section(title, rows):
    return "\n".join([title, *(f"  {name:<21}{value:>8}  {meaning}" for name, value, meaning in rows)])


def _utterances(title, utterances):
    return "\n".join([title, *map(_utterance, utterances)]) if utterances else ""


def _utterance(one):
    lines = [f"said        {one['reference']}"]
    if one["wer"]:
        lines.append(f"recognised  {one['hypothesis'] or '(nothing)'}")
    lines.append(f"plot        {one['plot']}")
    first, *rest = lines
    return f"  {one['wer']:>5.0%}  {first}\n" + textwrap.indent("\n".join(rest), " " * 9)
