"""What goes wrong with machines, networks and disks, done to the real processes on purpose."""
