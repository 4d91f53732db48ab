"""Programs around the platform: replay of a loan book, bench, simulator, generated files, import contracts."""
