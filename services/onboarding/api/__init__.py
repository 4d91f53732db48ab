"""What people and staff may ask of onboarding over HTTP: shape check, command, view; and the way into the vault."""
