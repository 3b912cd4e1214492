"""The screens and widgets; the only package that uses Textual."""
