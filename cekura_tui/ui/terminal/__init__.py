"""What goes around Textual to the terminal."""
