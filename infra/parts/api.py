"""The HTTP API: IAM authorization (SigV4), throttling and access logs."""

import json
from typing import Final, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.parts.alarms import MINUTE
from infra.parts.logs import log_group
from smallbox.aws.replays import AS_OF_STAGE

_RATE_PER_SECOND: Final = 500
_BURST: Final = 1000
_LINE: Final = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "caller": "$context.identity.userArn",
    "route": "$context.routeKey",
    "status": "$context.status",
    "stage": "$context.stage",
    "milliseconds": "$context.responseLatency",
    "error": "$context.error.message",
}
"""The fields of an access log line; bodies and headers are not logged."""


class Api(Construct):
    """One API with its stages. Every route requires an IAM signature. No CORS: only programs call it.

    Args:
        scope: where it belongs.
        name: its name there.
        with_as_of: whether it has a stage that takes ``as_of``, beside ``$default``; see :mod:`smallbox.aws.replays`.
    """

    def __init__(self, scope: Construct, name: str, *, with_as_of: bool) -> None:
        super().__init__(scope, name)
        self._api = gateway.HttpApi(
            self, "Api", create_default_stage=False, default_authorizer=authorizers.HttpIamAuthorizer()
        )
        logs = log_group(self, "Access").log_group_arn
        self._stage("Stage", logs)
        if with_as_of:
            self._stage("AsOfStage", logs, AS_OF_STAGE)

    def _stage(self, id_: str, logs: str, name: str | None = None) -> None:
        stage = gateway.HttpStage(
            self,
            id_,
            http_api=self._api,
            stage_name=name,
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(rate_limit=_RATE_PER_SECOND, burst_limit=_BURST),
        )
        # The L2 construct's log settings are an interface that Python cannot implement without a class of its own.
        resource = cast("gateway.CfnStage", stage.node.default_child)
        resource.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=logs, format=json.dumps(_LINE)
        )

    def failures(self, period: Duration = MINUTE) -> cloudwatch.Metric:
        """The number of answers with a 5xx."""
        return self._api.metric_server_error(period=period, statistic="Sum")

    def latency(self, period: Duration) -> cloudwatch.Metric:
        """The milliseconds in which nine requests of ten were answered."""
        return self._api.metric_latency(period=period, statistic="p90")

    def requests(self, period: Duration) -> cloudwatch.Metric:
        """The number of requests."""
        return self._api.metric_count(period=period, statistic="Sum")

    @property
    def url(self) -> str:
        """The API's URL, without a trailing slash."""
        return self._api.api_endpoint

    @property
    def arn(self) -> str:
        """The ARN before the stage, the method and the path of a request."""
        return Stack.of(self).format_arn(service="execute-api", resource=self._api.api_id)

    def route(self, function: lambda_.IFunction, *routes: str) -> None:
        """Route requests like ``GET /models`` to a function."""
        integration = integrations.HttpLambdaIntegration(f"To{function.node.path}", function)
        for route in routes:
            method, path = route.split(" ")
            self._api.add_routes(path=path, methods=[gateway.HttpMethod(method)], integration=integration)
