"""Listen, Attend and Spell: a speech recogniser built on keras_attn."""
