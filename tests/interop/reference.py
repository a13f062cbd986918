"""Runs the reference, the Python package ome-zarr-converters-tools, in this process on an acquisition folder.

The table's file paths are made absolute first, so that nobody needs a `resource`: the lists made here can go to any
compute task, as Fractal calls them. The writer mode is `By Tile` unless the options name another, because the package's
default, `By FOV`, corrupts images whose first plane of a field is missing.

Arguments are those of our command line: `collection` is plate or image, `overwrite` is no, replace or extend.
"""

import tomllib
import warnings
from pathlib import Path

import pandas as pd
from ome_zarr_converters_tools import (
    AcquisitionDetails,
    ChannelInfo,
    ConverterOptions,
    DefaultImageLoader,
    ImageInPlate,
    ImplementedFilters,
    OverwriteMode,
    SingleImage,
    generic_compute_task,
    hcs_images_from_dataframe,
    setup_images_for_conversion,
    single_images_from_dataframe,
    tiles_aggregation_pipeline,
)
from pydantic import TypeAdapter

OVERWRITE = {"no": OverwriteMode.NO_OVERWRITE, "replace": OverwriteMode.OVERWRITE, "extend": OverwriteMode.EXTEND}
COLLECTION = {"plate": ImageInPlate, "image": SingleImage}


def read_details(folder: Path) -> AcquisitionDetails:
    """The acquisition file, with the channel names and wavelengths turned into channels."""
    document = tomllib.loads((folder / "acquisition_details.toml").read_text())
    names = document.pop("channel_names", None)
    wavelengths = document.pop("wavelengths", None)
    if names is not None:
        pairs = zip(names, wavelengths or [None] * len(names), strict=True)
        document["channels"] = [ChannelInfo(channel_label=name, wavelength_id=wave) for name, wave in pairs]
    return AcquisitionDetails(**document)


def read_table(folder: Path) -> pd.DataFrame:
    """tiles.csv with absolute file paths."""
    table = pd.read_csv(folder / "tiles.csv")

    def locate(name: str) -> str:
        beside = folder / name
        return str(beside if beside.exists() else folder / "data" / name)

    table["file_path"] = table["file_path"].map(locate)
    return table


def reference_init(
    folder: Path,
    zarr_dir: Path,
    *,
    options: dict | None = None,
    overwrite: str = "replace",
    collection: str = "plate",
    plate: str = "MyPlate",
    acquisition_id: int = 0,
    filters: list[dict] | None = None,
) -> list[dict]:
    """The parallelization list; makes the plate and its wells. Filters are JSON objects tagged by `name`."""
    folder, zarr_dir = Path(folder).resolve(), Path(zarr_dir).resolve()
    converter_options = ConverterOptions.model_validate({"writer_mode": "By Tile", **(options or {})})
    checked_filters = TypeAdapter(list[ImplementedFilters]).validate_python(filters or [])
    table, details = read_table(folder), read_details(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if collection == "plate":
            tiles = hcs_images_from_dataframe(
                tiles_table=table, acquisition_details=details, plate_name=plate, acquisition_id=acquisition_id
            )
        else:
            tiles = single_images_from_dataframe(tiles_table=table, acquisition_details=details)
        images = tiles_aggregation_pipeline(tiles=tiles, converter_options=converter_options, filters=checked_filters)
        return setup_images_for_conversion(
            images,
            zarr_dir=str(zarr_dir),
            collection_type=COLLECTION[collection].__name__,
            converter_options=converter_options,
            overwrite_mode=OVERWRITE[overwrite],
        )


def reference_compute(entries: list[dict], *, collection: str = "plate") -> list[dict]:
    """Convert the images of a parallelization list, whoever made it; returns the image list updates."""
    updates = []
    for entry in entries:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            updates += generic_compute_task(
                zarr_url=entry["zarr_url"],
                init_args=entry["init_args"],
                collection_type=COLLECTION[collection],
                image_loader_type=DefaultImageLoader,
                resource=None,
            )["image_list_updates"]
    return updates


def reference_convert(folder: Path, zarr_dir: Path, **how) -> list[dict]:
    """Init, then compute every image; arguments as for `reference_init`. Returns the image list updates."""
    return reference_compute(reference_init(folder, zarr_dir, **how), collection=how.get("collection", "plate"))
