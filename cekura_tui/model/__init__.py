"""The domain model: pure code without I/O."""
