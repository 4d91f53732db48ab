"""How Loanstream is run: local parts from wheels, the gateway's routes, and later images and manifests."""
