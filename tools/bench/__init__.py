"""The bench: each figure is ours beside a bare baseline in the same run, so that the machine cancels out (docs/performance.md)."""
