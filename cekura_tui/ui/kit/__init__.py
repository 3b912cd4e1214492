"""What several screens use: page, dialog, virtual list, inputs, footer, help."""
