"""Acquisitions as microscopes of vendors leave them, as far as fractal-uzh-converters reads them.

Each function writes one below a folder and returns the argument `acquisitions` of the converter's init task.
"""

import shutil
import zlib
from pathlib import Path
from xml.sax.saxutils import escape

from acquisitions import Acquisition

OPERETTA_HEAD = '<EvaluationInputData xmlns="http://www.perkinelmer.com/PEHH/HarmonyV5"><Images>'
OPERETTA_KEYS = {
    "URL": "{file_path}",
    "Row": "{row}",
    "Col": "{column}",
    "FieldID": "{field}",
    "PlaneID": "{plane}",
    "TimepointID": "0",
    "ChannelID": "{channel}",
    "ChannelName": "{channel_name}",
    "ImageSizeX": "{length_x}",
    "ImageSizeY": "{length_y}",
    "MaxIntensity": "65535",
}
OPERETTA_MEASURES = {
    "MainEmissionWavelength": ("nm", "{wavelength}"),
    "ImageResolutionX": ("m", "6.5E-07"),
    "ImageResolutionY": ("m", "6.5E-07"),
    "PositionX": ("m", "{x:.9f}"),
    "PositionY": ("m", "{y:.9f}"),
    "PositionZ": ("m", "{z:.9f}"),
    "AbsPositionZ": ("m", "{z:.9f}"),
}


def operetta(folder: Path) -> list[dict]:
    """What Harmony exports, as far as the converter reads it, and a table of conditions."""
    acquisition = Acquisition(wells=("B03", "C05"), numbered_rows=True, attributes={}, origin=(-60.0, -40.0), seed=15)
    rows = acquisition.write(folder / "source")
    shutil.move(folder / "source" / "data", folder / "Images")
    text = OPERETTA_HEAD
    for row in rows:
        values = {
            **row,
            "field": int(row["fov_name"].removeprefix("FOV_")) + 1,
            "plane": int(row["start_z"]) + 1,
            "channel": int(row["start_c"]) + 1,
            "channel_name": ("Hoechst", "Alexa 488")[int(row["start_c"])],
            "wavelength": (456, 522)[int(row["start_c"])],
            # Metres, with y upwards.
            "x": row["start_x"] * 1e-6,
            "y": -row["start_y"] * 1e-6,
            "z": int(row["start_z"]) * 2e-6,
        }
        parts = [f"<{key}>{escape(value.format(**values))}</{key}>" for key, value in OPERETTA_KEYS.items()]
        for key, (unit, value) in OPERETTA_MEASURES.items():
            parts.append(f'<{key} Unit="{unit}">{value.format(**values)}</{key}>')
        text += f"<Image>{''.join(parts)}</Image>"
    (folder / "Images" / "Index.idx.xml").write_text(text + "</Images></EvaluationInputData>")
    conditions = folder / "conditions.csv"
    conditions.write_text("row,column,drug,dose\nB,3,DMSO,0.5\nC,5,Nocodazole,2\n")
    return [{"path": str(folder), "plate_name": "Operetta", "advanced": {"condition_table_path": str(conditions)}}]


SCANR_COLUMNS = 12
"""Wells of a plate of 96 are numbered row by row, from 1."""


def scanr(folder: Path) -> list[dict]:
    """An OME-XML document beside the planes: two time points, fields that make no grid."""
    acquisition = Acquisition(
        wells=("A02", "C01"), numbered_rows=True, layout="ragged", times=2, attributes={}, seed=17
    )
    rows = acquisition.write(folder)
    fields: dict[str, list[dict]] = {}
    for row in rows:
        well = (int(row["row"]) - 1) * SCANR_COLUMNS + int(row["column"])
        fields.setdefault(f"W{well:05}P{int(row['fov_name'].removeprefix('FOV_')) + 1:05}", []).append(row)
    images = "".join(scanr_image(name, planes, acquisition) for name, planes in fields.items())
    head = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    (folder / "data" / "metadata.ome.xml").write_text(f"{head}{images}</OME>")
    return [{"path": str(folder), "plate_name": "ScanR", "acquisition_id": 1}]


def scanr_image(name: str, planes: list[dict], acquisition: Acquisition) -> str:
    """One field of view."""
    sizes = {"T": acquisition.times, "C": acquisition.channels, "Z": acquisition.slices}
    sizes |= {"Y": acquisition.height, "X": acquisition.width}
    pixels = " ".join(f'Size{axis}="{size}"' for axis, size in sizes.items())
    parts = [f'<Channel ID="Channel:{c}" Name="{dye}"/>' for c, dye in enumerate(("DAPI", "FITC"))]
    for row in planes:
        t, c, z = (int(row[f"start_{axis}"]) for axis in "tcz")
        uuid = f"urn:uuid:{zlib.crc32(row['file_path'].encode()):08x}-0000-0000-0000-000000000000"
        file = f'<UUID FileName="{escape(row["file_path"])}">{uuid}</UUID>'
        parts.append(f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="{z}" IFD="0" PlaneCount="1">{file}</TiffData>')
    for row in planes:
        t, c, z = (int(row[f"start_{axis}"]) for axis in "tcz")
        # Micrometres, with y upwards.
        place = f'PositionX="{row["start_x"]}" PositionY="{-row["start_y"]}" PositionZ="{2.5 * z}"'
        parts.append(f'<Plane TheT="{t}" TheC="{c}" TheZ="{z}" {place}/>')
    how = f'Type="uint16" DimensionOrder="XYZCT" PhysicalSizeX="{acquisition.pixel_size}"'
    how += f' PhysicalSizeY="{acquisition.pixel_size}"'
    return f'<Image ID="Image:{name}"><Pixels ID="Pixels:{name}" {how} {pixels}>{"".join(parts)}</Pixels></Image>'
