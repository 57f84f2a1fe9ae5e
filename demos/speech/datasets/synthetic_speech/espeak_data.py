"""The part of eSpeak NG's data that English needs, arranged so that it finds a voice at once.

eSpeak NG writes the name of a voice in small letters before it looks for the file. Where the file's name has capitals
(`gmw/en-US`) it then reads every voice file there is, which takes as long as speaking.
"""

import atexit
import functools
import pathlib
import shutil
import tempfile

import espeakng_loader


@functools.cache
def folder():
    """A temporary copy (1 MB) in which the English voice files have names in small letters; removed at exit."""
    source, copy = pathlib.Path(espeakng_loader.get_data_path()), pathlib.Path(tempfile.mkdtemp(prefix="espeak-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for name in ("phontab", "phonindex", "phondata", "intonations", "en_dict"):
        shutil.copy(source / name, copy)
    shutil.copytree(source / "voices/!v", copy / "voices/!v")
    (copy / "lang/gmw").mkdir(parents=True)
    for file in (source / "lang/gmw").glob("en*"):
        shutil.copy(file, copy / "lang/gmw" / file.name.lower())
    return copy
