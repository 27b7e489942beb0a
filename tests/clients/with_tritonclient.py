"""Asks a server with ``tritonclient`` as its examples do: its defaults throughout, so tensors go and come as bytes.

Reads ``{"host", "model", "instances"}`` from standard input and writes what the client found as JSON.
"""

import json
import sys
from typing import Any, Final

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

KINDS: Final = {"BYTES": np.object_, "FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_}


def inputs_of(metadata: Any, instances: list[dict[str, Any]], *, binary: bool) -> list[Any]:
    """The tensors that the metadata asks for."""
    tensors = []
    for one in metadata["inputs"]:
        column: Any = np.array([[instance[one["name"]]] for instance in instances], KINDS[one["datatype"]])
        tensor = triton.InferInput(one["name"], list(column.shape), one["datatype"])
        tensor.set_data_from_numpy(column, **({} if binary else {"binary_data": False}))
        tensors.append(tensor)
    return tensors


def said(client: Any, **call: Any) -> tuple[str, str]:
    """The status and the message of the error that a call raises."""
    try:
        client.infer(**call)
    except InferenceServerException as error:
        return error.status(), error.message()
    return "200", ""


def ask(host: str, model: str, instances: list[dict[str, Any]]) -> dict[str, Any]:
    """What the client found."""
    client = triton.InferenceServerClient(url=host)
    metadata = client.get_model_metadata(model)
    version, (output,) = metadata["versions"][0], [one["name"] for one in metadata["outputs"]]
    inputs = inputs_of(metadata, instances, binary=True)
    answered = {
        "default": client.infer(model, inputs, request_id="mine"),
        "named": client.infer(model, inputs, model_version=version),
        "json": client.infer(
            model,
            inputs_of(metadata, instances, binary=False),
            outputs=[triton.InferRequestedOutput(output, binary_data=False)],
        ),
    }
    return {
        "live": client.is_server_live(),
        "server_ready": client.is_server_ready(),
        "ready": [client.is_model_ready(model), client.is_model_ready(model, version)],
        "not_ready": [client.is_model_ready("no_such_model"), client.is_model_ready(model, "4711")],
        "server": client.get_server_metadata(),
        "inputs": metadata["inputs"] == client.get_model_metadata(model, version)["inputs"],
        "outputs": {name: one.as_numpy(output).tolist() for name, one in answered.items()},
        "response": answered["default"].get_response(),
        "unknown": said(client, model_name="no_such_model", inputs=inputs),
        "incomplete": said(client, model_name=model, inputs=inputs[1:]),
        "other": said(client, model_name=model, inputs=inputs, model_version="4711"),
    }


if __name__ == "__main__":
    json.dump(ask(**json.load(sys.stdin)), sys.stdout)
