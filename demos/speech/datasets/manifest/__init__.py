"""Own recordings, listed in a tab-separated file.

The first line names the columns; every other line that is not empty is a recording, or a part of one:

| column | |
|---|---|
| `path` | an audio file of any format, rate and number of channels; relative to the folder of the manifest |
| `text` | what is said |
| `speaker` | optional; a name |
| `split` | optional; `train`, `validation` or `test` |
| `start`, `end` | optional; the part of the recording to take, in seconds; empty for its start and its end |
| `words` | optional; when each word of the text is said, seconds of the recording, as `0.31-0.52 0.60-1.04` |

The file is UTF-8, and nothing in it is quoted. The times of words may stand in a CTM file of their own instead, see
`demos.speech.ctm`.
"""
