"""Jobs: the list, the pane, one job, and the dialog that launches one."""
