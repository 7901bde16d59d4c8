"""What every response of the API must be, whatever was asked. Schemathesis calls each check with every response."""

import json
import os
import re

import schemathesis

VERSION = re.compile(r"^\d+\.\d+\.\d+$")
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def one(response, name):
    values = response.headers.get(name) or []
    assert len(values) == 1, f"{len(values)} headers {name} on status {response.status_code}"
    return values[0]


@schemathesis.check
def version_on_every_response(ctx, response, case):
    assert VERSION.match(one(response, "api-version")), "API-Version is not a whole version"


@schemathesis.check
def headers_of_the_rules(ctx, response, case):
    for name, value in HEADERS.items():
        assert one(response, name) == value, f"{name}: {one(response, name)}"
    assert "frame-ancestors 'none'" in one(response, "content-security-policy")
    assert one(response, "strict-transport-security").startswith("max-age=")
    assert re.match(r"^[0-9a-f]{16}$", one(response, "x-request-id"))


@schemathesis.check
def never_422_and_no_fault(ctx, response, case):
    assert response.status_code != 422, "invalid input is 400, never 422"
    assert response.status_code < 500, f"the node is at fault: {response.status_code}"


@schemathesis.check
def errors_are_problems(ctx, response, case):
    if response.status_code < 400:
        return
    assert one(response, "content-type") == "application/problem+json"
    if response.request.method == "HEAD":
        return
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code
    assert isinstance(problem["title"], str) and isinstance(problem["detail"], str)
    assert problem["instance"] == "urn:kring:request:" + one(response, "x-request-id")
    for error in problem.get("errors", []):
        assert error["in"] in ("body", "query", "header") and isinstance(error["detail"], str)
        assert ("pointer" if error["in"] == "body" else "name") in error


@schemathesis.check
def refusals_say_what_would_do(ctx, response, case):
    if response.status_code == 401:
        assert one(response, "www-authenticate").startswith("Bearer ")
    if response.status_code == 405:
        assert one(response, "allow")
    if response.status_code in (429, 503):
        assert int(one(response, "retry-after")) >= 1


@schemathesis.check
def nothing_sent_comes_back_in_an_error(ctx, response, case):
    """Errors name places, never values: a value may be somebody's."""
    body = case.body if isinstance(case.body, dict) else {}
    if response.status_code < 400 or not response.content:
        return
    problem = json.loads(response.content)
    told = " ".join([problem["detail"], *(error["detail"] for error in problem.get("errors", []))])
    persons = body.get("persons")
    for person in persons if isinstance(persons, list) else []:
        for value in person.values() if isinstance(person, dict) else []:
            again = isinstance(value, str) and len(value) >= 8 and value in told
            assert not again, "an error repeats what was sent about a person"


# Proof that the checks can fail: with one of these faults a run must find it. `tests/system/api.rs` tries each.
def invalid_input_as_422(response):
    if response.status_code == 400:
        response.status_code = 422


def no_version(response):
    response.headers.pop("api-version", None)


def errors_as_plain_json(response):
    if response.status_code >= 400:
        response.headers["content-type"] = ["application/json"]


def another_field(response):
    if response.status_code == 200:
        response.content = response.content.replace(b'"caseReference"', b'"case"')


FAULTS = {fault.__name__: fault for fault in (invalid_input_as_422, no_version, errors_as_plain_json, another_field)}

if FAULT := os.environ.get("TEST_API_FAULT"):

    @schemathesis.hook
    def after_call(context, case, response):
        FAULTS[FAULT](response)
