"""Sets up single images from tables of TIFF files."""

from ome_zarr_convert.executable import run_task

if __name__ == "__main__":
    run_task("init-images")
