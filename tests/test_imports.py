"""Who may import whom, and only the public API of Keras: read off the source, and seen in a fresh process."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path.relative_to(ROOT) for top in ("keras_attn", "demos") for path in (ROOT / top).rglob("*.py"))
PACKAGE = [path for path in SOURCES if path.parts[0] == "keras_attn"]

# A member of the package (a file or a family's folder) imports only members of lower levels. A file that is not named
# here is a helper at level 0.
LEVELS = {"scorers": 1, "alignments": 2, "attention": 3, "attention_cell": 4, "attention_rnn": 5}
# They take functions and alignments, never layers, and import nothing of the package but what is listed.
REDUCTIONS = {"alignment_reductions", "masking"}
ALONE = {
    "beam_search": {"decoding_rules", "hypotheses", "records", "rows", "search_arguments"},
    "ctc_prefix": {"associative_scan", "loops", "masking"},
    "fusion": {"masking"},
    "ngram": {"backoff"},
    "phrase_bias": {"loops", "word_boundaries"},
    "losses": REDUCTIONS,
    "metrics": REDUCTIONS,
    "plotting": set(),
    "word_ngram": {"backoff", "spelling_tree", "word_boundaries"},
}
# Parts of the recogniser that stand on nothing but one another.
LEAVES = {"audio", "augmentation", "errors", "features", "mel", "resampling", "text", "tokens"}

PRIVATE = re.compile(r"^(keras\.src|keras\.backend|tf\.keras|tensorflow\.keras|tensorflow\.python)\b")


def imports(path, top_level_only=False):
    """Dotted names of all that a file imports; `from a import b` gives `a` and `a.b`."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    names = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = list(path.parts[: len(path.parts) - node.level]) if node.level else []
            module = ".".join(base + ([node.module] if node.module else []))
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def member(path):
    """`attention` for keras_attn/attention.py, `scorers` for every file of that folder, None for the package itself."""
    return None if path.parts[1] == "__init__.py" else path.parts[1].removesuffix(".py")


MEMBERS = {member(path) for path in PACKAGE} - {None}


def members_imported(path):
    parts = (name.split(".") for name in imports(path))
    found = {name[1] if len(name) > 1 else "" for name in parts if name[0] == "keras_attn"}
    return (found & MEMBERS) - {member(path)}


@pytest.mark.parametrize("path", [path for path in PACKAGE if member(path)], ids=str)
def test_a_member_imports_only_lower_levels(path):
    name = member(path)
    if name in ALONE:
        allowed = ALONE[name]
    elif name in LEVELS:
        allowed = {other for other in MEMBERS - set(ALONE) if LEVELS.get(other, 0) < LEVELS[name]}
    else:
        allowed = MEMBERS - set(ALONE) - set(LEVELS)  # helpers may help one another
    assert members_imported(path) <= allowed


@pytest.mark.parametrize("path", PACKAGE, ids=str)
def test_the_package_needs_only_keras_and_numpy(path):
    allowed = set(sys.stdlib_module_names) | {"keras", "keras_attn", "numpy"}
    if member(path) in ("tensor_stack", "tensorflow_scan"):  # imported where TensorFlow is the backend, and there only
        allowed |= {"tensorflow"}
    assert {name.split(".")[0] for name in imports(path, top_level_only=True)} <= allowed
    inside = {"plotting": {"matplotlib"}, "compiled": {"jax", "tensorflow"}}
    inside |= {"rows": {"tensorflow"}, "products": {"tensorflow"}}
    inside = inside.get(member(path), set())
    assert {name.split(".")[0] for name in imports(path)} <= allowed | inside


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_only_public_interfaces_of_keras(path):
    names = imports(path)
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    names |= {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not sorted(name for name in names if PRIVATE.match(name))


@pytest.mark.parametrize("leaf", sorted(LEAVES))
def test_leaves_of_the_recogniser_import_only_leaves(leaf):
    path = Path("demos/speech", f"{leaf}.py")
    ours = {name for name in imports(path) if name.split(".")[0] in ("demos", "keras_attn")}
    assert {".".join(name.split(".")[:3]) for name in ours} <= {f"demos.speech.{leaf}" for leaf in LEAVES}


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_path_of_somebodys_machine(path):
    assert not re.findall(r"""(?<![\w.~])/(?:root|home|work|Users)/[^\s"']*""", (ROOT / path).read_text("utf-8"))


def test_the_rules_see_through_every_way_to_import(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("import keras.src as k\nfrom keras_attn import attention\ndef f():\n    from x.y import z\n")
    assert imports(path) == {"keras.src", "keras_attn", "keras_attn.attention", "x.y", "x.y.z"}
    assert not {"x.y", "x.y.z"} & imports(path, top_level_only=True)


def test_importing_the_package_adds_nothing_heavy_to_keras():
    # Keras itself loads matplotlib where that is installed, so only what comes on top of it counts.
    script = "import sys, keras; before = set(sys.modules); import keras_attn; print(*set(sys.modules) - before)"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    added = {name.split(".")[0] for name in run.stdout.split()}
    assert "keras_attn" in added
    assert not added & {"tensorflow_datasets", "librosa", "matplotlib", "jiwer", "demos"}
