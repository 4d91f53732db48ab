"""What people may ask of collections over HTTP: their queue, claims, contacts, promises, and the supervisor's desk work."""
