"""Widgets and base classes that several screens use: page, dialog, virtual list, inputs, footer, help."""
