//! Conversions as tasks: the Fractal contract, runners and the compute task of any converter.
