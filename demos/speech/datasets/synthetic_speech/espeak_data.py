"""eSpeak NG's data, arranged so that it finds a voice at once.

eSpeak NG writes the name of a voice in small letters before it looks for the file. Where the file's name has capitals
(`gmw/en-US`) it then reads every voice file there is, which takes as long as speaking.
"""

import atexit
import functools
import pathlib
import shutil
import tempfile

import espeakng_loader

# Two thirds of all data: dictionaries of languages that nobody speaks here.
_LEFT_OUT = shutil.ignore_patterns("ru_dict", "cmn_dict", "yue_dict", "lb_dict", "fa_dict", "ia_dict", "ar_dict")


@functools.cache
def folder():
    """A temporary copy (7 MB) in which the files of voices have names in small letters; removed at exit."""
    copy = pathlib.Path(tempfile.mkdtemp(prefix="espeak-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    shutil.copytree(espeakng_loader.get_data_path(), copy, ignore=_LEFT_OUT, dirs_exist_ok=True)
    for file in (copy / "lang").rglob("*"):
        if file.is_file():
            file.rename(file.with_name(file.name.lower()))
    return copy
