"""What the services share: the language of the log (events) and the only code that does I/O (runtime)."""
