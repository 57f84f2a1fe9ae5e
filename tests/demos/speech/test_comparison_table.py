"""The table of a comparison."""

from demos.speech.comparison_table import COLUMNS, Row, cells, markdown, ranked
from tests.demos.speech.comparison_results import result

NONSENSE = Row("cosine", "exponential", (), "it does", possible=False)
FAILED = Row("dot", "softmax", (), "seed 0: no | memory\nleft")
WAITING = Row("dot", "entmax15")


def column(rows, key):
    index = [column.key for column in COLUMNS].index(key)
    return [texts[index] if texts else None for texts in cells(rows)]


def test_fewest_errors_first_and_what_has_no_figures_last():
    good = Row("a", "x", (result(0.01, alignment_error_rate=0.1),))
    better = Row("b", "x", (result(0.01, alignment_error_rate=0.05),))
    lost = Row("c", "x", (result(None, alignment_error_rate=None),))
    unknown = Row("d", "x", (result(0.01, alignment_error_rate=None),))
    assert ranked([NONSENSE, lost, FAILED, unknown, good, WAITING, better]) == [
        better,
        good,
        unknown,
        lost,
        FAILED,
        WAITING,
        NONSENSE,
    ]


def test_means_over_seeds_and_how_far_they_are_apart():
    row = Row("a", "x", (result(0.02), result(0.01), result(0.06)))
    assert column([row], "wer") == [("3.00 % (1.00 % to 6.00 %)", True)]
    assert column([row], "parameters") == [("430,123", False)]
    assert column([row], "seconds_per_step") == [("123", True)]


def test_never_aligned_with_one_seed_is_never():
    rows = [Row("a", "x", (result(), result(steps_until_aligned=None))), Row("b", "x", (result(),))]
    assert column(rows, "steps_until_aligned") == [("never", False), ("250", True)]


def test_the_best_is_the_lowest_but_of_mass_the_highest_and_ties_are_all_best():
    rows = [
        Row("a", "x", (result(0.01, mass_inside=0.5),)),
        Row("b", "x", (result(0.02, mass_inside=0.9),)),
        FAILED,
        Row("c", "x", (result(0.01, mass_inside=None),)),
    ]
    assert column(rows, "wer") == [("1.00 %", True), ("2.00 %", False), None, ("1.00 %", True)]
    assert column(rows, "mass_inside") == [("50.00 %", False), ("90.00 %", True), None, ("-", False)]
    assert not any(best for _, best in column(rows[:2], "parameters"))
    assert cells([FAILED, WAITING]) == [[], []]


def test_markdown_says_why_there_are_no_figures():
    lines = markdown([Row("a", "x", (result(),)), FAILED, WAITING, NONSENSE]).splitlines()
    # A bar inside a cell is written as "\|".
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(COLUMNS) + 3}
    assert lines[2].startswith("| a | x | **1.00 %** |")
    assert lines[3].startswith("| dot | softmax | failed: seed 0: no \\| memory left |")
    assert lines[4].startswith("| dot | entmax15 | not done yet |")
    assert lines[5].startswith("| cosine | exponential | makes no sense: it does |")
