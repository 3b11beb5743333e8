"""The servers of benchmarks/serving.py, each in a process of its own: convlens's two, FastAPI with PyTorch, LitServe.

    python benchmarks/serving_servers.py NAME MODEL PORT

Each takes one image as the content of an .npy file and answers with class and probabilities in JSON. The peers run
PyTorch with the same weights, on uvicorn with httptools, and predict in the event loop: for so small a network that is
faster than in a thread. Script mode is the module in a model's archive, as AWS's scikit-learn image serves it.
"""

import base64
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convlens import nn

try:
    import litserve as ls
except ImportError:
    ls = None


def convlens(path: str, port: int) -> None:
    from convlens.serve import Settings, run

    run([path], Settings(port=port, log_requests=False))  # the peers write no line for each request either


def script_mode(path: str, port: int) -> None:
    """Serve the archive's module as benchmarks/serving_script.py says, with a worker for each core."""
    from convlens.deploy.sagemaker.archive import unpack
    from convlens.deploy.sagemaker.package import package

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # so that the folder is removed, and gunicorn ended
    workers = str(os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "model"
        unpack(package(path, Path(folder) / "model.tar.gz").path, unpacked)
        command = [sys.executable, "-m", "gunicorn", "-k", "gevent", "-w", workers, "-b", f"127.0.0.1:{port}"]
        command += ["--worker-connections", "1000", "--log-level", "warning", "serving_script:application"]
        environment = {**os.environ, "MODEL_FOLDER": str(unpacked)}
        subprocess.run(command, check=True, env=environment, cwd=Path(__file__).parent)


def pytorch(path: str, threads: int) -> Callable[[np.ndarray], dict[str, Any]]:
    """Return the same prediction by PyTorch."""
    import torch

    from convlens.bench.peers.pytorch import network

    torch.set_num_threads(threads)
    model = nn.load(path)
    net, names, scale = network(model).eval(), model.class_names, model.preprocessing.scale

    def predict(image: np.ndarray) -> dict[str, Any]:
        with torch.inference_mode():
            x = torch.from_numpy(image).reshape(1, 1, *image.shape[:2]).float().mul_(scale)
            shares = torch.softmax(net(x), 1)[0].tolist()
        best = max(range(len(shares)), key=shares.__getitem__)
        return {
            "class": names[best],
            "probability": shares[best],
            "probabilities": dict(zip(names, shares, strict=True)),
        }

    return predict


def fastapi(path: str, port: int, threads: int) -> None:
    import uvicorn
    from fastapi import FastAPI, Request, Response

    app, predict = FastAPI(), pytorch(path, threads)

    @app.post("/invocations")
    async def invocations(request: Request) -> Response:
        image = np.load(io.BytesIO(await request.body()), allow_pickle=False)
        return Response(json.dumps(predict(image)), media_type="application/json")

    uvicorn.run(app, port=port, http="httptools", loop="asyncio", access_log=False, log_level="warning")


class Digits(ls.LitAPI if ls is not None else object):  # type: ignore[misc] # at the top, as LitServe pickles it
    """LitServe reads JSON only, so the bytes come in base64."""

    def __init__(self, path: str) -> None:
        super().__init__(api_path="/invocations")
        self.path = path

    def setup(self, device: str) -> None:
        del device
        self.of = pytorch(self.path, 1)

    def decode_request(self, request: dict[str, str]) -> np.ndarray:
        return np.load(io.BytesIO(base64.b64decode(request["npy"])), allow_pickle=False)

    def predict(self, x: np.ndarray) -> dict[str, Any]:
        return self.of(x)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


def litserve(path: str, port: int) -> None:
    server = ls.LitServer(Digits(path), accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=port, generate_client_file=False, access_log=False, log_level="warning")


SERVERS: dict[str, Callable[[str, int], None]] = {
    "convlens": convlens,
    "script mode": script_mode,
    "FastAPI + PyTorch, 1 thread": lambda path, port: fastapi(path, port, 1),
    "FastAPI + PyTorch, 2 threads": lambda path, port: fastapi(path, port, 2),
    "LitServe + PyTorch": litserve,
}

if __name__ == "__main__":
    SERVERS[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
