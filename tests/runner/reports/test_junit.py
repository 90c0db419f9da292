import re
from dataclasses import replace
from xml.dom import minidom
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from assessments.outcome import Fault, Outcome
from runner.reports.junit import junit

SUITE = {"id", "package", "name", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time"}
FORBIDDEN = "a\x00\x01\x08\x0b\x0c\x1b\x7f\x85\ud800\udfff\ufffe\uffff\u202e]]>&<\"'\r\nb"


def hold_to_the_schema(document):
    """What Ant's schema asks for: order, attributes, and the spelling of figures and times."""
    root = ElementTree.fromstring(document)
    minidom.parseString(document)
    assert root.tag == "testsuites"
    for place, suite in enumerate(root):
        assert suite.tag == "testsuite"
        assert set(suite.attrib) == SUITE
        assert suite.get("id") == str(place)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.get("timestamp"))
        tags = [child.tag for child in suite]
        cases = tags.count("testcase")
        assert tags == ["properties", *["testcase"] * cases, "system-out", "system-err"]
        assert all(set(each.attrib) == {"name", "value"} and each.get("name") for each in suite[0])
        assert suite.get("tests") == str(cases)
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(name)) == len(suite.findall(f"testcase/{tag}"))
        for each in (suite, *suite.iter("testcase")):
            assert re.fullmatch(r"[0-9]+\.[0-9]+", each.get("time"))
        for case in suite.iter("testcase"):
            assert set(case.attrib) == {"name", "classname", "time"}
            assert len(case) <= 1
            for verdict in case:
                assert verdict.get("type")
                assert verdict.get("message")
    return root


def test_a_suite_is_a_scorecard_and_a_case_a_check(cards):
    first, second = cards.measured(), cards.scorecard(candidate="Grace Hopper")
    root = hold_to_the_schema(junit([first, second]))
    assert [suite.get("name") for suite in root] == ["inference-api: Ada Lovelace", "inference-api: Grace Hopper"]
    assert [len(suite.findall("testcase")) for suite in root] == [len(first.results), len(second.results)]
    assert root[1].get("timestamp") == "2026-11-23T16:58:12"
    assert root[1].get("time") == "10.307"


def test_each_outcome_has_the_element_ci_systems_know_it_by(cards):
    card = cards.scorecard()
    root = hold_to_the_schema(junit([card]))
    cases = {case.get("name"): case for case in root.iter("testcase")}
    expected = {
        Outcome.PASSED: None,
        Outcome.FAILED: "failure",
        Outcome.ERRORED: "error",
        Outcome.INCONCLUSIVE: "skipped",
    }
    for result in card.results:
        assert next((child.tag for child in cases[result.check.id]), None) == expected[result.outcome]
    failed = cases["batch-keeps-order"][0]
    assert failed.get("type") == "wrong-answer"
    assert failed.get("message").startswith("Row 3 of the batch was expected")
    assert "The answers of a batch stand in the order of its rows." in failed.text
    assert cases["memory-stays-flat"][0].get("message").endswith("too close to say.")
    assert cases["batch-keeps-order"].get("classname") == "inference-api.correctness"


def test_a_verdict_without_a_message_still_says_why(cards):
    results = [cards.result(Fault.ENGINE_FAILED, name="a"), cards.result(outcome=Outcome.INCONCLUSIVE, name="b")]
    root = hold_to_the_schema(junit([cards.scorecard(results)]))
    assert [each.get("message") for each in root.iter() if each.get("message")] == [
        "The sandbox engine failed.",
        "The machine was too noisy to say.",
    ]


def test_properties_trace_every_figure(cards):
    card = cards.scorecard(enforced=False)
    (suite,) = hold_to_the_schema(junit([card]))
    properties = {each.get("name"): each.get("value") for each in suite[0]}
    assert properties["submission.digest"] == card.submission.digest
    assert properties["challenge.digest"] == card.challenge.digest
    assert properties["environment.digest"] == card.environment.digest
    assert properties["seed"] == "20261123"
    assert properties["engine"] == "bubblewrap 0.11.0"
    assert properties["engine.unenforced"] == "memory, processes"
    assert properties["scorecard"] == card.id


def test_the_same_scorecards_give_the_same_bytes_and_other_tools_read_them(cards):
    documents = {junit([cards.scorecard(), cards.measured()]) for _ in range(3)}
    assert len(documents) == 1
    read = JUnitXml.fromstring(documents.pop())
    assert sum(suite.tests for suite in read) == read.tests


def test_no_scorecard_is_an_empty_document():
    assert list(hold_to_the_schema(junit([]))) == []


@pytest.mark.parametrize(
    "text", [FORBIDDEN, "", " ", "<![CDATA[ x ]]>", "<!DOCTYPE a [<!ENTITY b 'c'>]>&b;", "\u0301" * 99]
)
def test_what_a_submission_wrote_never_breaks_the_document(cards, text):
    card, _, _ = cards.hostile(text)
    hold_to_the_schema(junit([card]))


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec=None), max_size=40), seconds=st.floats())
def test_any_text_and_any_time_gives_a_valid_document(cards, text, seconds):
    result = replace(cards.result(Fault.WRONG_ANSWER, message=text, sentence=text, skill=text), duration_s=seconds)
    hold_to_the_schema(junit([cards.scorecard([result], candidate=text, id=text, graded_at=text)]))


def test_a_huge_message_is_cut_and_says_so(cards):
    document = junit([cards.scorecard([cards.result(Fault.DIED, message="<" * 5_000_000, sentence="&" * 10**6)])])
    assert len(document) < 20_000
    assert "cut: the first 2,000 of 5,000,000 characters" in ElementTree.fromstring(document).find(".//failure").text
