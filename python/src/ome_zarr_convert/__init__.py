"""OME-Zarr conversion by a native executable: Fractal tasks, and the compute step of converters written in Python."""

# As type checkers know it; importing `typing` would take the shims a third of their time.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from ome_zarr_convert.compute import ConversionError, ImageListUpdateDict, UpdateDict, generic_compute_task
    from ome_zarr_convert.executable import ExecutableNotFoundError

__all__ = [
    "ConversionError",
    "ExecutableNotFoundError",
    "ImageListUpdateDict",
    "UpdateDict",
    "generic_compute_task",
]


def __getattr__(name: str):
    # Imported when asked for: the shims in `tasks` need none of it, and start once per image.
    if name == "ExecutableNotFoundError":
        from ome_zarr_convert import executable as module
    elif name in __all__:
        from ome_zarr_convert import compute as module
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
