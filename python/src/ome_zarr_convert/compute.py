"""The compute step of converters written in Python, with the signature of `ome-zarr-converters-tools`, by our executable."""

import json
import logging
import os
import subprocess
import tempfile
from typing import Any, TypedDict

from ome_zarr_convert.executable import executable
from ome_zarr_convert.fallback import reference_compute_task, why_not_ours
from ome_zarr_convert.log import Relay

logger = logging.getLogger("ome_zarr_convert")


class UpdateDict(TypedDict):
    """What Fractal is told of an image."""

    zarr_url: str
    types: dict[str, Any]
    attributes: dict[str, str | int | float | bool | None]


class ImageListUpdateDict(TypedDict):
    """The answer of a compute task."""

    image_list_updates: list[UpdateDict]


class ConversionError(RuntimeError):
    """The executable could not convert the image; the text is what it said."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        """1: the conversion failed; 2: the arguments or the data are wrong; negative: the signal that ended it."""

    def __reduce__(self):
        # Process pools pickle exceptions, by default with the message alone.
        return type(self), (str(self), self.exit_code)


def generic_compute_task(
    *,
    zarr_url: str,
    init_args: Any,
    collection_type: type,
    image_loader_type: type,
    resource: Any | None = None,
) -> ImageListUpdateDict:
    """Converts the image of one entry of a parallelization list.

    Args:
        zarr_url: Absolute path of the image to write.
        init_args: What the init task handed over: a `ConvertParallelInitArgs` of the reference, or a dictionary.
        collection_type: `ImageInPlate` or `SingleImage` of the reference. With any other the reference does the work.
        image_loader_type: `DefaultImageLoader` of the reference. With any other the reference does the work.
        resource: Base folder of relative file paths.

    Returns:
        The image list update, as the reference gives it.

    Raises:
        ConversionError: The image could not be converted.
        NotImplementedError: Only the reference could do it, and it is not installed.
    """
    document = json.loads(json.dumps(init_args, default=_to_json))
    if reason := why_not_ours(zarr_url, document, collection_type, image_loader_type, resource):
        run_theirs = reference_compute_task(reason)
        logger.info("ome_zarr_converters_tools converts %s, not ome-zarr-convert: %s", zarr_url, reason)
        return run_theirs(
            zarr_url=zarr_url,
            init_args=init_args,
            collection_type=collection_type,
            image_loader_type=image_loader_type,
            resource=resource,
        )
    entry = {"zarr_url": zarr_url, "init_args": document}
    with tempfile.TemporaryDirectory(prefix="ome-zarr-convert-") as folder:
        answer = os.path.join(folder, "answer.json")
        _run(_command(entry, resource, folder, answer))
        with open(answer, encoding="utf-8") as file:
            return json.load(file)


def _to_json(value: Any) -> Any:
    """Models of the reference as the reference itself would hand them over."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    raise TypeError(
        f"init_args holds {value!r}, which is neither JSON nor a model; pass on what the init task returned"
    )


def _command(entry: dict, resource: Any | None, folder: str, answer: str) -> list[str]:
    arguments = os.path.join(folder, "arguments.json")
    # Fractal's contract has no base folder; the command for lists has one.
    no_resource = resource is None or str(resource) == ""
    with open(arguments, "w", encoding="utf-8") as file:
        json.dump(entry if no_resource else {"parallelization_list": [entry]}, file)
    if no_resource:
        words = ["task", "compute", "--args-json", arguments, "--out-json", answer]
    else:
        words = ["compute", "--list", arguments, "--index", "0", "--out-json", answer, "--resource", str(resource)]
    return [executable("ome-zarr-convert"), *words]


def _run(command: list[str]) -> None:
    """Runs the executable to its end; what it logs goes to our logger line by line."""
    # Whatever log format a task was asked for, the executable's own is the one that `Relay` reads.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FRACTAL_TASK_LOG_")}
    relay = Relay(logger)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        encoding="utf-8",
        errors="replace",
    ) as process:
        try:
            for line in process.stderr:
                relay.line(line.rstrip("\r\n"))
            code = process.wait()
        except BaseException:
            # It stops at its next chunk; what is finished is taken up by the next run.
            process.terminate()
            raise
    if code:
        raise ConversionError(relay.problem() or f"{command[0]} ended with exit code {code} and no message", code)
