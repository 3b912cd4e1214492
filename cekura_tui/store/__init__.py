"""The local database: runs, jobs and prompts in one SQLite file."""
