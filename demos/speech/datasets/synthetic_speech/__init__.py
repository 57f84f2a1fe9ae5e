"""Sentences spoken by eSpeak NG, with the true times of words and phonemes."""
