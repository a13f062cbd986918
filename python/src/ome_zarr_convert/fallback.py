"""Says when an image needs what only Python has, and finds the reference's function for it."""

import sys
from collections.abc import Callable
from typing import Any

REFERENCE = "ome_zarr_converters_tools"
BUILT_IN_COLLECTIONS = ("ImageInPlate", "SingleImage")
BUILT_IN_LOADERS = ("DefaultImageLoader",)


def why_not_ours(
    zarr_url: str, init_args: dict, collection_type: type, image_loader_type: type, resource: Any | None
) -> str | None:
    """Why the executable cannot do what the reference would; `None` where it can."""
    if not _is_built_in(image_loader_type, BUILT_IN_LOADERS):
        return f"the image loader {_name(image_loader_type)} is Python code (built in: {', '.join(BUILT_IN_LOADERS)})"
    if not _is_built_in(collection_type, BUILT_IN_COLLECTIONS):
        return f"the collection {_name(collection_type)} is Python code (built in: {', '.join(BUILT_IN_COLLECTIONS)})"
    if steps := _replaced_registration_steps():
        return f"the registration steps {', '.join(steps)} were replaced by Python code"
    for place in (zarr_url, resource, init_args.get("tiled_image_json_dump_url")):
        if str(place).startswith("s3://"):
            return f"{place} is in an object store"
    if '"s3://' in _document(init_args):
        return "image files are in an object store"
    return None


def reference_compute_task(reason: str) -> Callable[..., Any]:
    """The reference's `generic_compute_task`."""
    try:
        from ome_zarr_converters_tools import generic_compute_task
    except ImportError as error:
        raise NotImplementedError(
            f"ome-zarr-convert cannot convert this image: {reason}. "
            "Install ome-zarr-converters-tools, and it will be done by that"
        ) from error
    return generic_compute_task


def _is_built_in(given: type, names: tuple[str, ...]) -> bool:
    # By name, so that the reference need not be imported: that takes seconds, and converters that only hand its types
    # on have done so already. A subclass has another name, and may do other things.
    module = getattr(given, "__module__", "")
    return module.partition(".")[0] == REFERENCE and getattr(given, "__qualname__", "") in names


def _document(init_args: dict) -> str:
    """The text that describes the image; empty where the executable may have to wait for it, and will say what is wrong."""
    if text := init_args.get("tiled_image_json_str"):
        return text
    try:
        with open(init_args["tiled_image_json_dump_url"], encoding="utf-8") as file:
            return file.read()
    except (KeyError, TypeError, OSError, UnicodeDecodeError):
        return ""


def _name(given: type) -> str:
    return f"{getattr(given, '__module__', '?')}.{getattr(given, '__qualname__', repr(given))}"


def _replaced_registration_steps() -> list[str]:
    """Built-in steps that `add_registration_func(..., overwrite=True)` replaced in this process.

    The reference has no public way to ask, and a module that was never imported holds nothing replaced.
    """
    module = sys.modules.get(f"{REFERENCE}.pipelines._registration_pipeline")
    registry = getattr(module, "_registration_registry", None)
    find = getattr(registry, "get", None)
    if find is None:
        return []
    names = ("offset_removal", "align_to_pixel_grid", "xy_jitter_correction", "reindex_channels", "tile_regions")
    return [name for name in names if getattr(find(name), "__module__", "").partition(".")[0] != REFERENCE]
