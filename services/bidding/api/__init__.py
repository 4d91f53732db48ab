"""What people and the custodian bank may ask of bidding over HTTP: shape check, command, view."""
