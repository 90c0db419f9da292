"""The alert rules fire when they should, name what they are about, and clear again. Time is simulated by promtool."""

import pytest

PAGES = ("ServiceDown", "HighErrorRate", "HighLatency", "AccuracyDrop")
TICKETS = ("MissingValues", "FeatureDrift", "PredictionDrift", "LabelDrift")
OF_FLAGS = ("FeatureDrift", "PredictionDrift", "LabelDrift", "AccuracyDrop")


@pytest.mark.check("alerts-quiet-when-well", points=2, skill="alerting", visibility="after")
def test_alerts_quiet_when_well(rules, simulation):
    """promtool accepts the rules, and none fires while all is well, restarts and small troubles included."""
    rules.check()
    simulation.restarts_at = 60
    simulation.requests(slow=simulation.during(0.02), failed=simulation.during(0.02))
    simulation.missing("weight_kg", simulation.during(0.05, otherwise=0.01))
    simulation.quiet((*PAGES, *TICKETS), range(5, 150, 8))
    rules.hold_in(simulation, "a service that is well, but for 2 % of failed and of slow requests")
    down = type(simulation)()
    down.down(down.during(1))
    down.expect("ServiceDown", 50, firing=True)
    rules.hold_in(down, "a service that cannot be scraped from minute 30 on")


@pytest.mark.check("alert-outage", points=2, skill="alerting", visibility="hidden")
def test_alert_outage(rules, simulation):
    """ServiceDown fires when scrapes fail for two minutes, not for one, and clears with the first that succeeds."""
    begins, ends = simulation.BEGINS, simulation.ENDS
    simulation.down(lambda minute: begins <= minute < ends or minute == 100)
    simulation.expect("ServiceDown", begins - 1, firing=False)
    simulation.expect("ServiceDown", begins + 1, firing=False)
    for minute in (begins + 4, begins + 20, ends - 1):
        simulation.expect("ServiceDown", minute, firing=True, severity="page")
    for minute in (ends + 2, ends + 10, 100, 101, 110):
        simulation.expect("ServiceDown", minute, firing=False)
    rules.hold_in(simulation, f"scrapes fail from minute {begins} to {ends}, and once at 100")


def fires_and_clears(simulation, alert, *, fires_after, clears_after, **labels):
    """Not yet a minute before it may, firing well after, and quiet again well after the end."""
    begins, ends = simulation.BEGINS, simulation.ENDS
    simulation.expect(alert, begins - 2, firing=False)
    simulation.expect(alert, begins + 3, firing=False)
    for minute in (begins + fires_after, ends - 5):
        simulation.expect(alert, minute, firing=True, **labels)
    for minute in (ends + clears_after, 140):
        simulation.expect(alert, minute, firing=False)


@pytest.mark.check("alert-errors", points=2, skill="alerting", visibility="hidden")
def test_alert_errors(rules, simulation):
    """HighErrorRate fires at 12 % of requests answered with 500, clears afterwards, and counts no refusal."""
    simulation.requests(slow=simulation.during(0), failed=simulation.during(0.12))
    fires_and_clears(simulation, "HighErrorRate", fires_after=14, clears_after=12, severity="page")
    rules.hold_in(simulation, "11 % of the requests get a 500 from minute 30 to 80, and 9 % a 422 all the time")


@pytest.mark.check("alert-latency", points=2, skill="alerting", visibility="hidden")
def test_alert_latency(rules, simulation):
    """HighLatency fires when 10 % of the requests take a second or more, and clears afterwards."""
    simulation.requests(slow=simulation.during(0.1), failed=simulation.during(0))
    fires_and_clears(simulation, "HighLatency", fires_after=14, clears_after=12, severity="page")
    rules.hold_in(simulation, "10 % of the requests take more than a second from minute 30 to 80")


@pytest.mark.check("alert-missing-values", points=2, skill="alerting", visibility="hidden")
def test_alert_missing_values(rules, simulation):
    """MissingValues fires for the feature of which 25 % are missing, and for no other, and clears afterwards."""
    simulation.missing("weight_kg", simulation.during(0.25, otherwise=0.01))
    fires_and_clears(
        simulation, "MissingValues", fires_after=24, clears_after=22, severity="ticket", feature="weight_kg"
    )
    elsewhere = 'count(ALERTS{alertname="MissingValues", alertstate="firing", feature!="weight_kg"}) or vector(0)'
    simulation.expect_value(elsewhere, 60, 0)
    rules.hold_in(simulation, "25 % of the values of weight_kg are missing from minute 30 to 80, 1 % of the others")


@pytest.mark.check("alert-drift", points=2, skill="alerting", visibility="hidden")
def test_alert_drift(rules, simulation):
    """FeatureDrift and PredictionDrift fire after ten minutes of drift, name the feature, clear, and ignore a blip."""
    for name, kind, feature in (("FeatureDrift", "feature", "carrier"), ("PredictionDrift", "prediction", "")):
        scenario = type(simulation)()
        set_now = scenario.during(1)
        scenario.flag(kind, lambda minute, set_now=set_now: set_now(minute) or int(100 <= minute < 104), feature)
        labels = {"feature": feature} if feature else {}
        fires_and_clears(scenario, name, fires_after=13, clears_after=3, severity="ticket", **labels)
        for minute in (scenario.BEGINS + 8, 103, 106, 112):
            scenario.expect(name, minute, firing=False)
        scenario.quiet([other for other in OF_FLAGS if other != name], (60, 90))
        rules.hold_in(scenario, f"{name}: the flag is set from minute 30 to 80, and from 100 to 104")


@pytest.mark.check("alert-model-performance", points=2, skill="alerting", visibility="hidden")
def test_alert_model_performance(rules, simulation):
    """AccuracyDrop and LabelDrift fire after ten minutes of their flag, each for its own, and clear."""
    for name, kind, severity in (("AccuracyDrop", "accuracy", "page"), ("LabelDrift", "label", "ticket")):
        scenario = type(simulation)()
        scenario.flag(kind, scenario.during(1))
        fires_and_clears(scenario, name, fires_after=13, clears_after=3, severity=severity)
        scenario.expect(name, scenario.BEGINS + 8, firing=False)
        scenario.quiet([other for other in OF_FLAGS if other != name], (60, 90))
        rules.hold_in(scenario, f"{name}: the flag is set from minute 30 to 80")


@pytest.mark.check("alerts-work-live", points=3, skill="alerting", visibility="hidden")
def test_alerts_work_live(start_service, start_prometheus, oracle, rng, traffic):
    """In a real Prometheus the rules are in good health, and drift, its end and an outage reach them."""
    service = start_service()
    prometheus = start_prometheus(service, with_rules=True)
    prometheus.until('up{job="late-parcels"}', lambda up: up == 1, "a fresh instance should be scraped")
    name = rng.choice(oracle.current.numeric).name
    sender = traffic(service.http)
    drifting = f'count(ALERTS{{alertname="FeatureDrift", feature="{name}"}})'
    sender.send(oracle.current.parcels(rng, 500, oracle.change(shifts={name: 3.0})))
    prometheus.until(drifting, lambda count: count == 1, f"{name} is far off, so FeatureDrift should be pending")
    sender.send(oracle.current.parcels(rng, 500))
    prometheus.until(drifting, lambda count: count is None, f"{name} is as it was, so FeatureDrift should be gone")
    service.signal("KILL")
    down = 'count(ALERTS{alertname="ServiceDown"})'
    prometheus.until(down, lambda count: count == 1, "the service is gone, so ServiceDown should be pending")
    check_rules(prometheus)


def check_rules(prometheus):
    """Each alert of the brief is there once, in good health, with its severity and a summary."""
    found = [
        rule for group in prometheus.api("rules")["groups"] for rule in group["rules"] if rule["type"] == "alerting"
    ]
    for severity, names in (("page", PAGES), ("ticket", TICKETS)):
        for name in names:
            rules = [rule for rule in found if rule["name"] == name]
            assert len(rules) == 1, f"alerts.yml should have one alert {name}, it has {len(rules)}"
            assert rules[0]["health"] == "ok", f"{name} cannot be evaluated: {rules[0].get('lastError', '')[:200]}"
            given = rules[0]["labels"].get("severity")
            assert given == severity, f"{name} should have the severity {severity}, it has {given}"
            assert rules[0]["annotations"].get("summary", "").strip(), f"{name} should have an annotation summary"
