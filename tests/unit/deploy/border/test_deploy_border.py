from swath.deploy.border.flows import cut
from swath.deploy.render.border_refusals import engine_sends
from swath.deploy.site.border import Border, Flow, crossings
from swath.deploy.site.files import load_site
from swath.deploy.site.job_spec import JobSpec


def test_the_table_names_every_flow() -> None:
    lines = list(crossings(Border(), engine_sends={}, engine="spark-operator"))
    assert [line.flow for line in lines] == list(Flow)
    assert {line.verdict for line in lines} == {"stays"}
    assert all(line.content and line.how for line in lines)


def test_on_premises_nothing_leaves_by_default(job: JobSpec) -> None:
    assert engine_sends(job, site=load_site("eks-anywhere")) == {}
    assert Border() == load_site("eks-anywhere").border


def test_emr_sends_requests_and_arguments_to_the_region(job: JobSpec) -> None:
    assert set(engine_sends(job, site=load_site("outposts-extended"))) == {Flow.JOB_REQUEST, Flow.ARGUMENTS, Flow.ERROR_TEXTS}


def test_what_is_allowed_and_has_a_way_may_leave(job: JobSpec) -> None:
    site = load_site("outposts-local")
    lines = {c.flow: c for c in crossings(site.border, engine_sends=engine_sends(job, site=site), engine="x")}
    assert lines[Flow.METRICS].verdict == "may leave"
    assert lines[Flow.FOOTPRINTS].verdict == "stays"


def test_the_table_promises_no_more_than_forward_sends() -> None:
    border = Border(allow=tuple(Flow), to="s3://outbox/x")
    promised = {line.flow for line in crossings(border, engine_sends={}, engine="x") if line.verdict == "may leave"}
    result = {"scenes_in": 0, "made": 0, "skipped": 0, "quarantined": 0, "pipeline": "toa"}
    assert promised == set(cut(result, read=lambda _: None, site="s", namespace="n"))
