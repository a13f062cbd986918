"""What the tests ask of a fractal-server, over its HTTP API (version 2), with the standard library only."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path


class HttpError(RuntimeError):
    """The server refused; the text has its answer."""

    def __init__(self, method: str, path: str, status: int, body: str) -> None:
        super().__init__(f"{method} {path}: {status} {body}")
        self.status, self.body = status, body


class Api:
    """A session with one server. `login` comes first."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._token = None

    def call(
        self, method: str, path: str, *, query: dict | None = None, body=None, form=None, file: Path | None = None
    ):
        """One request: `body` goes as JSON, `form` as a form, `file` as an upload. Returns the answer's JSON."""
        headers, data = {}, None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        elif file is not None:
            data, headers["Content-Type"] = upload(file)
        elif form is not None:
            data, headers["Content-Type"] = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        url = self.base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise HttpError(method, path, error.code, error.read().decode(errors="replace")) from None
        return json.loads(text) if text else None

    def login(self, email: str, password: str) -> None:
        answer = self.call("POST", "/auth/token/login/", form={"username": email, "password": password})
        self._token = answer["access_token"]

    def version(self) -> str:
        return self.call("GET", "/api/alive/")["version"]

    # Tasks

    def post_task(self, name: str, **task) -> int:
        """Registers a task by its commands."""
        body = {"name": name, "type": "converter_compound", "version": "0", **task}
        return self.call("POST", "/api/v2/task/", body=body, query={"private": "true"})["id"]

    def collect_wheel(self, wheel: Path, timeout_s: float = 300) -> list[dict]:
        """Uploads a wheel, waits for its installation and returns its tasks."""
        activity = self.call("POST", "/api/v2/task/collect/pip/", file=wheel, query={"private": "true"})
        end = time.monotonic() + timeout_s
        while activity["status"] in ("pending", "ongoing"):
            if time.monotonic() > end:
                raise TimeoutError(f"collecting {wheel.name} takes longer than {timeout_s} s:\n{activity['log']}")
            time.sleep(0.5)
            activity = self.call("GET", f"/api/v2/task-group/activity/{activity['id']}/")
        if activity["status"] != "OK":
            raise RuntimeError(f"collecting {wheel.name}: {activity['status']}\n{activity['log']}")
        return self.call("GET", f"/api/v2/task-group/{activity['taskgroupv2_id']}/")["task_list"]

    def collect_custom(self, **package) -> list[dict]:
        """Registers the tasks of a manifest with an interpreter and a folder of our choice."""
        return self.call("POST", "/api/v2/task/collect/custom/", body=package, query={"private": "true"})

    # Workflows

    def new_project(self, name: str) -> int:
        return self.call("POST", "/api/v2/project/", body={"name": name})["id"]

    def new_dataset(self, project: int, name: str, zarr_dir: Path) -> int:
        body = {"name": name, "zarr_dir": str(zarr_dir), "images": []}
        return self.call("POST", f"/api/v2/project/{project}/dataset/import/", body=body)["id"]

    def new_workflow(self, project: int, name: str, task: int, **arguments) -> int:
        """A workflow of one task; `arguments` are args_non_parallel and args_parallel."""
        workflow = self.call("POST", f"/api/v2/project/{project}/workflow/", body={"name": name})["id"]
        path = f"/api/v2/project/{project}/workflow/{workflow}/wftask/"
        try:
            self.call("POST", path, body=[{"task_id": task, **arguments}])
        except HttpError as error:
            # Servers before 2.20 or so take one object, and the task in the query.
            if error.status != 422:
                raise
            self.call("POST", path, body=arguments, query={"task_id": task})
        return workflow

    def run(self, project: int, workflow: int, dataset: int, timeout_s: float = 300) -> dict:
        """Submits a job and waits for its end; returns the job, with `status` and `log`."""
        query = {"workflow_id": workflow, "dataset_id": dataset}
        job = self.call("POST", f"/api/v2/project/{project}/job/submit/", body={}, query=query)
        end = time.monotonic() + timeout_s
        while job["status"] == "submitted":
            if time.monotonic() > end:
                raise TimeoutError(f"job {job['id']} takes longer than {timeout_s} s")
            time.sleep(0.3)
            job = self.call("GET", f"/api/v2/project/{project}/job/{job['id']}/")
        return job

    def images(self, project: int, dataset: int) -> list[dict]:
        """The image list of a dataset."""
        return self.call("GET", f"/api/v2/project/{project}/dataset/{dataset}/export/")["images"]


def upload(file: Path) -> tuple[bytes, str]:
    """A multipart form with one file, and its content type."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return (
        head.encode() + file.read_bytes() + f"\r\n--{boundary}--\r\n".encode(),
        f"multipart/form-data; boundary={boundary}",
    )
