"""Real Kafka, MongoDB and Caddy as child processes: no root, no Docker, no system Java (design section 6)."""
