"""Keys and what is sealed under them: where secrets come from, while a process runs, and when they change."""
