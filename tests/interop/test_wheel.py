"""The wheel: shims that a server runs, and `generic_compute_task` in place of the reference's."""

import json
from pathlib import Path

import pytest

from compare import compare
from reference import reference_init
from test_parity import updates_differ
from wheel_environment import REPOSITORY, Installed, install

COMPUTE = """
from ome_zarr_converters_tools import ConvertParallelInitArgs, DefaultImageLoader, ImageInPlate, SingleImage
from ome_zarr_convert import generic_compute_task
collection_type = SingleImage if given["collection"] == "image" else ImageInPlate
as_given = {"dictionary": dict, "model": ConvertParallelInitArgs.model_validate}[given["init_args"]]
answer = []
for entry in given["entries"]:
    answer += generic_compute_task(
        zarr_url=entry["zarr_url"],
        init_args=as_given(entry["init_args"]),
        collection_type=collection_type,
        image_loader_type=DefaultImageLoader,
        resource=given.get("resource"),
    )["image_list_updates"]
"""

FAILING = """
import pickle
from ome_zarr_convert import ConversionError, generic_compute_task
class DefaultImageLoader: __module__ = "ome_zarr_converters_tools.models"
class ImageInPlate: __module__ = "ome_zarr_converters_tools.models"
try:
    generic_compute_task(**given, collection_type=ImageInPlate, image_loader_type=DefaultImageLoader)
except ConversionError as error:
    again = pickle.loads(pickle.dumps(error))
    answer = [str(again), again.exit_code, log.getvalue()]
"""

FALL_BACK = """
import ome_zarr_converters_tools as reference
from ome_zarr_convert import generic_compute_task
{setup}
answer = generic_compute_task(
    **given,
    collection_type={collection},
    image_loader_type={loader},
)["image_list_updates"], log.getvalue()
"""


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(tmp_path_factory.mktemp("wheel"))


one_case = pytest.mark.parametrize("case_name", ["grid"], indirect=True)
one_version = pytest.mark.parametrize("version", ["0.4"], indirect=True)


def test_the_manifest_names_files_of_the_package(installed):
    manifest = json.loads((installed.package / "__FRACTAL_MANIFEST__.json").read_text())
    names = [task.get(f"executable_{kind}") for task in manifest["task_list"] for kind in ("non_parallel", "parallel")]
    names = {name for name in names if name}
    assert names == {f"tasks/{path.name}" for path in installed.package.glob("tasks/*.py") if path.stem != "__init__"}


@one_case
def test_the_shim_of_compute_equals_the_reference(case, installed, tmp_path):
    tree, updates = tmp_path / "out", []
    for index, entry in enumerate(reference_init(case.folder, tree, **case.how)):
        arguments, out = tmp_path / f"args-{index}.json", tmp_path / f"out-{index}.json"
        arguments.write_text(json.dumps(entry))
        done = installed.task("compute", "--args-json", arguments, "--out-json", out)
        assert done.returncode == 0, done.stderr
        updates += json.loads(out.read_text())["image_list_updates"]
    assert compare(case.tree, tree) == []
    assert updates_differ(case, updates, tree) == []


@pytest.mark.parametrize("name", ["compute", "init_hcs_plate", "init_images"])
def test_shims_hand_on_what_the_executable_says(installed, tmp_path, name):
    arguments, out = tmp_path / "args.json", tmp_path / "out.json"
    arguments.write_text('{"no such argument": 1}')
    done = installed.task(name, "--args-json", arguments, "--out-json", out)
    assert done.returncode == 2
    assert "no such argument" in done.stderr and "Traceback" not in done.stderr
    assert not out.exists()


def test_generic_compute_task_equals_the_reference(case, installed, tmp_path):
    check_compute(case, installed, tmp_path / "out", "dictionary")


@one_case
@one_version
def test_init_args_can_be_a_model_of_the_reference(case, installed, tmp_path):
    check_compute(case, installed, tmp_path / "out", "model")


def check_compute(case, installed: Installed, tree: Path, init_args: str) -> None:
    entries = reference_init(case.folder, tree, **case.how)
    given = {"entries": entries, "collection": case.collection, "init_args": init_args}
    updates = installed.evaluate(COMPUTE, given, reference=True)
    assert compare(case.tree, tree) == []
    assert updates_differ(case, updates, tree) == []


@one_case
@one_version
def test_relative_paths_are_below_the_resource(case, installed, tmp_path):
    tree = tmp_path / "out"
    entries = reference_init(case.folder, tree, **case.how)
    for entry in entries:
        text = entry["init_args"]["tiled_image_json_str"]
        assert str(case.folder) in text
        entry["init_args"]["tiled_image_json_str"] = text.replace(f"{case.folder}/", "")
    given = {"entries": entries, "collection": case.collection, "init_args": "dictionary", "resource": str(case.folder)}
    installed.evaluate(COMPUTE, given, reference=True)
    assert compare(case.tree, tree) == []


@one_case
@one_version
def test_errors_are_exceptions_with_the_message(case, installed, tmp_path):
    """The reference need not be installed: types count by their names."""
    entry = reference_init(case.folder, tmp_path / "out", **case.how)[0]
    text = entry["init_args"]["tiled_image_json_str"]
    entry["init_args"]["tiled_image_json_str"] = text.replace("_C0_Z00.tif", "_gone.tif")
    message, code, log = installed.evaluate(FAILING, entry)
    assert "_gone.tif" in message and "Traceback" not in message
    assert code == 2
    assert "ome_zarr_convert INFO" in log, log
    assert "_gone.tif" not in log, "the exception tells it; the log need not"
    assert not Path(entry["zarr_url"]).exists()

    message, code, _ = installed.evaluate(FAILING, {**entry, "init_args": {"converter_options": {"grupping": {}}}})
    assert "grupping" in message and "grouping" in message
    assert code == 2


CUSTOM = {
    "loader": (
        "class Loader(reference.DefaultImageLoader): pass",
        "reference.ImageInPlate",
        "Loader",
        "the image loader __main__.Loader is Python code",
    ),
    "collection": (
        "class Collection(reference.ImageInPlate): pass",
        "Collection",
        "reference.DefaultImageLoader",
        "the collection __main__.Collection is Python code",
    ),
    "registration": (
        "from ome_zarr_converters_tools.pipelines import add_registration_func\n"
        "add_registration_func(function=lambda image, **_: image, name='xy_jitter_correction', overwrite=True)",
        "reference.ImageInPlate",
        "reference.DefaultImageLoader",
        "the registration steps xy_jitter_correction were replaced",
    ),
}


@one_case
@one_version
@pytest.mark.parametrize("custom", CUSTOM)
def test_what_is_python_code_is_left_to_the_reference(case, installed, tmp_path, custom):
    setup, collection, loader, reason = CUSTOM[custom]
    tree = tmp_path / "out"
    entry = reference_init(case.folder, tree, **case.how)[0]
    program = FALL_BACK.format(setup=setup, collection=collection, loader=loader)
    updates, log = installed.evaluate(program, entry, reference=True)
    assert [update["zarr_url"] for update in updates] == [entry["zarr_url"]]
    assert f"ome_zarr_convert INFO ome_zarr_converters_tools converts {entry['zarr_url']}" in log and reason in log
    assert not (Path(entry["zarr_url"]) / "0/.ome-zarr-convert.json").exists()


@pytest.mark.parametrize("where", ["zarr_url", "resource", "document", "document in a file"])
def test_object_stores_are_left_to_the_reference(installed, tmp_path, where):
    program = """
class DefaultImageLoader: __module__ = "ome_zarr_converters_tools.models"
class ImageInPlate: __module__ = "ome_zarr_converters_tools.models"
from ome_zarr_convert import generic_compute_task
try:
    generic_compute_task(**given, collection_type=ImageInPlate, image_loader_type=DefaultImageLoader)
except NotImplementedError as error:
    answer = str(error)
"""
    document = '{"regions": [{"image_loader": {"file_path": "s3://bucket/a.tif"}}]}'
    (tmp_path / "image.json").write_text(document)
    given = {
        "zarr_url": {"zarr_url": "s3://bucket/a.zarr", "init_args": {}},
        "resource": {"zarr_url": "/a.zarr", "init_args": {}, "resource": "s3://bucket"},
        "document": {"zarr_url": "/a.zarr", "init_args": {"tiled_image_json_str": document}},
        "document in a file": {
            "zarr_url": "/a.zarr",
            "init_args": {"tiled_image_json_dump_url": str(tmp_path / "image.json")},
        },
    }
    assert "in an object store" in installed.evaluate(program, given[where])


def test_without_the_reference_python_code_is_refused(installed):
    program = """
class Loader: pass
from ome_zarr_convert import generic_compute_task
try:
    generic_compute_task(zarr_url="/x", init_args={}, collection_type=Loader, image_loader_type=Loader)
except NotImplementedError as error:
    answer = str(error)
"""
    message = installed.evaluate(program)
    assert "the image loader __main__.Loader is Python code" in message
    assert "Install ome-zarr-converters-tools" in message


def test_a_source_folder_says_that_it_has_no_executables(installed):
    program = f"""
sys.path.insert(0, {str(REPOSITORY / "python" / "src")!r})
sys.executable = "/nowhere/python"
import sysconfig
sysconfig.get_path = lambda *_: "/nowhere"
from ome_zarr_convert import ExecutableNotFoundError
from ome_zarr_convert.executable import executable
try:
    executable("ome-zarr-convert")
except ExecutableNotFoundError as error:
    answer = str(error)
"""
    message = installed.evaluate(program)
    assert "/nowhere/ome-zarr-convert" in message and "Install the wheel" in message
