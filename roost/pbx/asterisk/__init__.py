"""Asterisk 18 to 22."""
