"""A terminal workbench for voice-agent tests on Cekura."""

__version__ = "0.1.0"
