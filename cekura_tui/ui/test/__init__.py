"""Tests of an agent's prompt: the dialog that launches one, and its comparison of before and after."""
