"""Launch, poll, stop, resume and forget jobs."""
