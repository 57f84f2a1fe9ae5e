"""Texts in the form in which they are learnt: nothing of any script is lost but punctuation."""

import unicodedata

import pytest

from demos.speech.spelling import spell


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("Guten Morgen, Müller! Groß?", "Guten Morgen Müller Groß"),
        ("你好\uff0c世界。《再见》", "你好 世界 再见"),
        ("Mu\u0308ller", "Müller"),
        ("हिन्दी में, नमस्ते।", "हिन्दी में नमस्ते"),
        ("don't  'quote' rock'n'roll the dogs'", "don't quote rock'n'roll the dogs"),
        ("l\u2019e\u0301te\u0301 e-mail - end-", "l\u2019été e-mail end"),
        ("word\u2014word and/or 3,5", "word word and or 3 5"),
        ("a\u2028b\x0bc\u00a0d\x85e", "a b c d e"),
        ("2 € + 3 € = 5 €", "2 € + 3 € = 5 €"),
        ("... ?!", ""),
        ("😀 ok", "😀 ok"),
    ],
)
def test_punctuation_becomes_space_and_nothing_else_is_lost(text, spelled):
    assert spell(text) == spelled
    assert spell(spelled) == spelled


def test_small_letters_of_every_script():
    assert spell("ÄRGER Über ΣΟΦΌΣ İZMIR 北京", lowercase=True) == unicodedata.normalize(
        "NFC", "ärger über σοφός i̇zmir 北京"
    )


def test_punctuation_can_be_kept():
    assert spell(" «Oh»,  dit-il : l'été… ", keep_punctuation=True) == "«Oh», dit-il : l'été…"
