"""Digits spoken by neural voices, and the program that made them."""
