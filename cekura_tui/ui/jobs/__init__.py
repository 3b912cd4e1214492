"""Jobs: list, pane, job page, and the dialog that launches one."""
