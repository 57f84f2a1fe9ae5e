"""Runnable programs that show keras_attn at work."""
