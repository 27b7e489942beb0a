"""A Lambda function with its log group and role; sets the defaults of all functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aws_cdk import Duration
from aws_cdk import Size as Storage
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.deployment import ROOT
from infra.parts.flow import Flow
from infra.parts.image import image_code
from infra.parts.layers import ARCHITECTURE, RUNTIME, code
from infra.parts.logs import log_group
from infra.parts.roles import exact_role
from smallbox.aws.settings import environment


@dataclass(frozen=True, slots=True)
class Size:
    """Memory in MB, timeout in seconds, and size of ``/tmp`` in MB of a function.

    CPU is proportional to memory; 512 MB of ``/tmp`` are free.
    """

    memory: int
    seconds: int
    disk: int = 512


ANSWER: Final = Size(512, 10)
FIGURES: Final = Size(1769, 10)  # one full vCPU
BATCH: Final = Size(1024, 60)
TASK: Final = Size(3008, 900)
DATASET: Final = Size(3008, 900, disk=4096)  # writes the dataset's file before it is stored
LOADING: Final = Size(3008, 900, disk=4096)  # holds a dropped file, and a gzipped Parquet file also unpacked
FITTING: Final = Size(8192, 900)


class Function(Construct):
    """The function of ``functions/<stage>/<name>``: a zip with layers, or the container image.

    Args:
        flow: the shared resources.
        settings: the settings object; the handler reads it back from environment variables.
        wheels: ``API`` or ``COMPUTE`` for the wheels of a zip function; ``IMAGE`` for the container image.
        size: memory, timeout and disk.
        dead: dead-letter queue for asynchronous invocations that fail every attempt.
        snap_start: whether to enable SnapStart.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        flow: Flow,
        settings: object,
        *,
        wheels: Sequence[str],
        size: Size,
        dead: sqs.IQueue | None = None,
        snap_start: bool = False,
    ) -> None:
        super().__init__(scope, name)
        self.path = f"{scope.node.id}/{name}"
        self._flow = flow
        self._wheels = wheels
        logs = log_group(self, "Logs")
        function = lambda_.Function(
            self,
            "Function",
            architecture=ARCHITECTURE,
            role=exact_role(self, self.path, "lambda", flow.arns.having({"logs:self": logs.log_group_arn})),
            log_group=logs,
            environment=self._environment(settings),
            memory_size=size.memory,
            timeout=Duration.seconds(size.seconds),
            ephemeral_storage_size=Storage.mebibytes(size.disk),
            dead_letter_queue=dead,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            **self._packaging(),
        )
        self.target: lambda_.IFunction = function.add_alias("live") if snap_start else function
        flow.arns.add(f"function:{self.path}", self.target.function_arn)
        flow.functions[self.path] = self.target

    def _environment(self, settings: object) -> Mapping[str, str]:
        powertools = {"POWERTOOLS_SERVICE_NAME": self.path, "POWERTOOLS_LOG_LEVEL": "INFO"}
        return {**environment(settings), **powertools, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "PASSIVE"}

    def _packaging(self) -> dict[str, Any]:
        folder = _handler_folder(self.path)
        if self._flow.deployment.packaged_wheels and not self._wheels:
            return {
                "code": image_code(self.path),
                "handler": lambda_.Handler.FROM_IMAGE,
                "runtime": lambda_.Runtime.FROM_IMAGE,
            }
        layers = self._flow.layers.of(self._wheels)
        return {"code": code(folder), "handler": "handler.handler", "runtime": RUNTIME, "layers": layers}


def _handler_folder(path: str) -> Path:
    folder = ROOT / "functions" / path
    if not (folder / "handler.py").is_file():
        raise FileNotFoundError(f"functions/{path}/handler.py is missing: every function of the flow has one")
    return folder
