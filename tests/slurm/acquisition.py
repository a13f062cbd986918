"""A plate for cluster jobs: images that take seconds, as many chunks, so that a task can be watched and stopped half-way."""

import json
import random
import struct
from pathlib import Path

SLICES = 4


def write_acquisition(folder: Path, wells: int, size: int) -> None:
    """Wells A01, A02 ... of one square field each."""
    (folder / "data").mkdir(parents=True)
    sizes = "xy_pixel_size = 0.5\nz_spacing = 2.0\n"
    details = 'channel_names = ["DAPI"]\nstart_z_space = "pixel"\naxes = ["c", "z", "y", "x"]\n'
    (folder / "acquisition_details.toml").write_text(sizes + details)
    rows = ["file_path,row,column,fov_name,start_x,start_y,start_z,start_c,length_x,length_y"]
    generator = random.Random(1)
    for well in range(1, wells + 1):
        for z in range(SLICES):
            name = f"A{well:02}_{z}.tif"
            (folder / "data" / name).write_bytes(tiff(size, generator))
            rows.append(f"{name},A,{well},FOV_1,0,0,{z},0,{size},{size}")
    (folder / "tiles.csv").write_text("\n".join(rows) + "\n")


def tiff(size: int, generator: random.Random) -> bytes:
    """A gray 16-bit TIFF of one strip: noise of 12 bits, as a camera makes it."""
    pixels = bytearray(generator.randbytes(2 * size * size))
    pixels[1::2] = pixels[1::2].translate(bytes(value & 0x0F for value in range(256)))
    fields = [
        (256, 4, size),
        (257, 4, size),
        (258, 3, 16),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, size),
        (279, 4, len(pixels)),
        (339, 3, 1),
    ]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in fields)
    head = struct.pack("<2sHI", b"II", 42, 8 + len(pixels))
    return head + pixels + struct.pack("<H", len(fields)) + entries + struct.pack("<I", 0)


def write_options(path: Path, level: int, chunk: int) -> None:
    """Converter options: square chunks of one plane, compressed as hard as `level` says, which takes its time."""
    chunks = {"mode": "Fixed Size", "xy_chunk": chunk, "z_chunk": 1}
    options = {"omezarr_options": {"chunks": chunks, "compression": {"mode": "zstd", "level": level}}}
    path.write_text(json.dumps(options))
