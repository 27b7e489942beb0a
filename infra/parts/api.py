"""The HTTP API: IAM authorization (SigV4), throttling and access logs."""

import json
from typing import Final, cast

from aws_cdk import Stack
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.parts.alarms import MINUTE, Alarms
from infra.parts.logs import log_group

_RATE_PER_SECOND: Final = 500
_BURST: Final = 1000
_LINE: Final = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "caller": "$context.identity.userArn",
    "route": "$context.routeKey",
    "status": "$context.status",
    "milliseconds": "$context.responseLatency",
    "error": "$context.error.message",
}
"""The fields of an access log line; bodies and headers are not logged."""


class Api(Construct):
    """One API with its ``$default`` stage. Every route requires an IAM signature. No CORS: only programs call it."""

    def __init__(self, scope: Construct, name: str, alarms: Alarms) -> None:
        super().__init__(scope, name)
        self._api = gateway.HttpApi(
            self, "Api", create_default_stage=False, default_authorizer=authorizers.HttpIamAuthorizer()
        )
        self._stage()
        failed = self._api.metric_server_error(period=MINUTE, statistic="Sum")
        alarms.watch(self, "ServerErrors", failed, "the API answered with a 5xx")

    def _stage(self) -> None:
        stage = gateway.HttpStage(
            self,
            "Stage",
            http_api=self._api,
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(rate_limit=_RATE_PER_SECOND, burst_limit=_BURST),
        )
        # The L2 construct's log settings are an interface that Python cannot implement without a class of its own.
        resource = cast("gateway.CfnStage", stage.node.default_child)
        resource.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=log_group(self, "Access").log_group_arn, format=json.dumps(_LINE)
        )

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
