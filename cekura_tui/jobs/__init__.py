"""The job engine: launch, follow and resume improve-prompt jobs."""
