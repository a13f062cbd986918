"""Converts one image that any converter's init task set up."""

from ome_zarr_convert.executable import run_task

if __name__ == "__main__":
    run_task("compute")
