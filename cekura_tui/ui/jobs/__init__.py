"""Jobs: the list, the pane, the page of a job, and the dialog that launches a job."""
