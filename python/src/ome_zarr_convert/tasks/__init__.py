"""One module per task, for a Fractal server to run by its path: see the manifest."""
