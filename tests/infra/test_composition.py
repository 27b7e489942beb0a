"""The app has the stages and jobs it says it has, and is the same here and on AWS."""

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from infra.deployment import ROOT, Deployment
from infra.generated_pages import out_of_date
from infra.grants import GRANTS
from smallbox.cli.up import ASSETS_BUCKET
from smallbox.console.openapi import openapi
from smallbox.define.project import load
from smallbox.serving.inference import InferenceProtocol
from smallbox.stages import STAGES
from tests.infra.grants import Names
from tests.infra.templates import Assembly, mentioned

OUTPUTS = {
    "ApiUrl", "InboxBucket", "LakeBucket", "OnlineTable", "RegistryTable", "MetricsTable", "LimitsTable",
    "EventsQueue", "FeaturesQueue", "RebuildQueue", "PredictionsQueue", "DropsQueue", "ScoresQueue",
    "EventsDeadQueue", "FeaturesDeadQueue", "RebuildDeadQueue", "PredictionsDeadQueue", "DropsDeadQueue",
    "ScoresDeadQueue", "DecideDeadQueue", "TrainingMachine", "DailyMachine", "BackfillMachine", "ScoringMachine",
    "UpkeepFunction", "ReleaseFunction", "ShadowFunction", "ExperimentFunction", "IncidentFunction", "AlarmsTopic",
    "IncidentsTopic",
    "OperatorPolicy",
    *(f"{model}IncidentsAlarm" for model in ("LateArrival", "ArrivalDelay", "ArrivalOutcome")),
}  # fmt: skip


def _jobs(assembly: Assembly) -> set[str]:
    functions = assembly.properties("AWS::Lambda::Function").values()
    return {function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for function in functions}


def test_every_handler_is_deployed_and_every_function_has_a_handler(aws: Assembly) -> None:
    """The folders under ``functions/``, the functions of the template and the grants are the same jobs."""
    folders = {str(p.parent.relative_to(ROOT / "functions")) for p in (ROOT / "functions").glob("*/*/handler.py")}
    granted = {name for name in GRANTS if name.partition("/")[0] in STAGES}
    assert folders == granted == _jobs(aws)
    assert {job.partition("/")[0] for job in folders} == set(STAGES)


def _served(job: str) -> set[str]:
    """The routes that a handler's file declares, as the API writes them: decorators, tables, and the protocol's."""
    tree = ast.parse((ROOT / "functions" / job / "handler.py").read_text())
    decorated = {
        f"{call.func.attr.upper()} {ast.literal_eval(call.args[0]).replace('<', '{').replace('>', '}')}"
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        for call in function.decorator_list
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    }
    texts = {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    listed = {text for text in texts if re.fullmatch(r"(GET|POST) /\S*", text)}
    is_protocol = any(isinstance(node, ast.Name) and node.id == "add_protocol" for node in ast.walk(tree))
    protocol = InferenceProtocol.__new__(InferenceProtocol).routes if is_protocol else ()
    return {*decorated, *listed, *protocol}


def test_every_route_leads_to_the_function_that_serves_it(aws: Assembly) -> None:
    """The routes of the API, function by function, are those that the handlers declare: none is missing or dead."""
    names, found = Names(aws), defaultdict(set)
    for route in aws.properties("AWS::ApiGatewayV2::Route").values():
        integration = aws.resources[mentioned(route["Target"]["Fn::Join"][1][1])]["Properties"]
        found[names.of(integration["IntegrationUri"]).removeprefix("function:")].add(route["RouteKey"])
    assert found == {job: routes for job in _jobs(aws) if (routes := _served(job))}


def test_every_route_is_described(aws: Assembly) -> None:
    """The description has each route of the API, one for every source and model where it says so, and no other.

    Only a ranking has the route of ordered lists.
    """
    project = load()
    ranked = {name: model for name, model in project.models.items() if model.objective.group}
    names = {"{source}": project.sources, "{model}": project.models}
    described = {
        f"{method.upper()} {path}" for path, methods in openapi(project)["paths"].items() for method in methods
    }
    expected = set()
    for route in aws.properties("AWS::ApiGatewayV2::Route").values():
        key = route["RouteKey"]
        (place,) = [place for place in names if place in key and key not in described] or [""]
        named = ranked if key.endswith("/rank") else names[place] if place else ()
        expected |= {key.replace(place, name) for name in named} if place else {key}
    assert described == expected


def test_local_and_aws_are_the_same_system(aws: Assembly, local: Assembly) -> None:
    """Functions, queues, tables, routes, rules and machines are the same, by the same names."""
    for kind in (
        "AWS::Lambda::Function", "AWS::SQS::Queue", "AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::IAM::Role",
        "AWS::ApiGatewayV2::Route", "AWS::Events::Rule", "AWS::StepFunctions::StateMachine",
        "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Lambda::EventSourceMapping",
        "AWS::Scheduler::Schedule",
    ):  # fmt: skip
        assert set(aws.of_type(kind)) == set(local.of_type(kind)) != set(), kind
    assert set(aws.outputs) == set(local.outputs)


def test_local_and_aws_grant_the_same(aws: Assembly, local: Assembly) -> None:
    """A local run proves the grants: they are those of AWS, statement by statement."""
    assert list(aws.statements()) == list(local.statements())


def test_the_schedules_run_on_aws_only(aws: Assembly, local: Assembly) -> None:
    """A local stack replays days; its clock must not start any."""
    states = [{s["State"] for s in a.properties("AWS::Scheduler::Schedule").values()} for a in (aws, local)]
    assert states == [{"ENABLED"}, {"DISABLED"}]


def test_the_lake_has_one_writer_of_current_however_many_models_there_are(aws: Assembly) -> None:
    """One schedule invokes the upkeep, one the daily files to score, one the guard; each model's own starts its day."""
    targets = [mentioned(s["Target"]["Arn"]) for s in aws.properties("AWS::Scheduler::Schedule").values()]
    functions = {target for target in targets if target in aws.of_type("AWS::Lambda::Function")}
    machines = [target for target in targets if target in aws.of_type("AWS::StepFunctions::StateMachine")]
    assert {Names(aws).of({"Ref": name}) for name in functions} == {
        "function:ingestion/upkeep",
        "function:serving/score",
        "function:release/guard",
    }
    assert len(machines) == len(load().models) == len(targets) - 3
    assert not [grant.on for grant in GRANTS["machine/daily"] if "upkeep" in grant.on]
    assert [grant.on for grant in GRANTS["schedule/upkeep"]] == ["function:ingestion/upkeep"]


def test_the_heavy_functions_are_one_image_on_aws(aws: Assembly) -> None:
    """Fourteen functions share an image, told apart by their command; the nine others are zips for arm64."""
    functions = aws.properties("AWS::Lambda::Function").values()
    images = [f for f in functions if f.get("PackageType") == "Image"]
    assert len({str(f["Code"]["ImageUri"]) for f in images}) == 1
    assert len({tuple(f["ImageConfig"]["Command"]) for f in images}) == len(images) == 14
    assert {f["Runtime"] for f in functions if f not in images} == {"python3.13"}
    assert all(f["Architectures"] == ["arm64"] for f in functions)


def test_threads_that_wait_do_not_spin(aws: Assembly, local: Assembly) -> None:
    """A function has a part of a processor, or shares one: a waiting thread must leave it to the one that works."""
    for assembly in (aws, local):
        functions = assembly.properties("AWS::Lambda::Function").values()
        policies = {function["Environment"]["Variables"].get("OMP_WAIT_POLICY") for function in functions}
        assert policies == {"PASSIVE"}


def _service(function: Mapping[str, Any]) -> str:
    """The name of a function's task."""
    return str(function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"])


def test_only_what_holds_large_files_has_more_disk_than_comes_for_free(aws: Assembly) -> None:
    """Loader and scorer keep a dropped file on disk, and the dataset's function the dataset, until it is stored."""
    functions = aws.properties("AWS::Lambda::Function").values()
    disks = {_service(function): function["EphemeralStorage"]["Size"] for function in functions}
    more = {name: size for name, size in disks.items() if size != 512}
    assert more == {"ingestion/load": 4096, "serving/score": 4096, "training/dataset": 4096}


def test_several_workers_take_the_parts_of_a_file(aws: Assembly) -> None:
    """Four loaders of dropped files, and two scorers beside the map's own."""
    functions, found = aws.properties("AWS::Lambda::Function"), {}
    for mapping in aws.properties("AWS::Lambda::EventSourceMapping").values():
        name = _service(functions[mentioned(mapping["FunctionName"])])
        found[name] = mapping["ScalingConfig"]["MaximumConcurrency"]
    assert (found["ingestion/load"], found["serving/score"]) == (4, 2)


def test_parts_outlive_every_message_that_names_them(aws: Assembly) -> None:
    """A message waits four days in its queue and fourteen in the dead-letter queue; the parts lie longer."""
    rules = [
        rule
        for bucket in aws.properties("AWS::S3::Bucket").values()
        for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", [])
    ]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "Prefix" in rule}
    retention = [queue["MessageRetentionPeriod"] for queue in aws.properties("AWS::SQS::Queue").values()]
    assert days["parts/"] * 86_400 > max(retention) + min(retention)


def test_outputs_keep_their_names(aws: Assembly) -> None:
    """What clients look up by name is there."""
    assert {output for output in aws.outputs if not output.startswith("Exports")} == OUTPUTS


def test_the_assets_go_to_the_bucket_that_up_makes() -> None:
    """The command line cannot import the app's settings; both name the same bucket."""
    assert Deployment.local().assets_bucket == ASSETS_BUCKET


def test_requests_for_a_rebuild_that_wait_are_done_together(aws: Assembly) -> None:
    """Thirty files dropped at once rebuild an entity once: the function takes what waits, after some seconds."""
    mappings = aws.properties("AWS::Lambda::EventSourceMapping")
    (rebuild,) = [m for name, m in mappings.items() if name.startswith("featuresrebuild")]
    assert rebuild["BatchSize"] >= 30
    assert rebuild["MaximumBatchingWindowInSeconds"] > 0
    assert rebuild["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_stream_gathers_messages_and_has_as_many_workers_as_declared(aws: Assembly) -> None:
    """Messages of single records share their writes; the setting of the deployment is the event source's maximum."""
    mappings = aws.properties("AWS::Lambda::EventSourceMapping")
    (stream,) = [m for name, m in mappings.items() if name.startswith("featuresstream")]
    assert stream["BatchSize"] == 1_000
    assert stream["MaximumBatchingWindowInSeconds"] > 0
    assert stream["ScalingConfig"]["MaximumConcurrency"] == Deployment.aws().stream_workers == 2
    assert Deployment.aws({"stream_workers": 50}).stream_workers == 50


def test_the_generated_pages_are_up_to_date() -> None:
    """The pages that people read say what the app grants and what the rules are."""
    assert out_of_date() == []
