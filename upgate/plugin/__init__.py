"""pytest's face of the engine: the only package that knows pytest.

options    the command line
items      a check is an item, and presents what the engine judges
functions  plain test functions beside the checks (fixtures: their inputs)
workers    pytest-xdist: one snapshot, many processes
progress   what is said meanwhile
guard      what pytest prints itself, made harmless
monitoring --monitor
reporting  the summary, the reports, the exit code

Everything but `options` and `state` is imported when it is needed: `pytest --help` stays fast.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from upgate.plugin import options
from upgate.plugin.state import CHECK, GATE, are_brief, gate_of, inputs_of, is_controller, is_worker, selected

if TYPE_CHECKING:
    from upgate.judge.gate import Gate


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add our options. pytest-profiling has a --profile too, and every run with both would die."""
    pluginmanager.set_blocked("profiling")
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile, if this run is about the battery."""
    options.add_markers(config)
    if not options.is_battery_run(config):
        return
    gate = config.stash[GATE] = options.make_gate(config)
    if gate.options.settle and options.in_one_process(config):
        gate.notes.append("-n has no effect with --settle: all rounds are judged in one process, in milliseconds each")
    config.option.continue_on_collection_errors = True  # one broken file must not hide what all others see
    from upgate.battery.inputs import names
    from upgate.plugin import fixtures

    config.pluginmanager.register(fixtures.plugin(names()), "upgate-inputs")
    if is_worker(config):
        from upgate.plugin import workers

        workers.prepare_worker(config, gate)
    elif not config.option.collectonly:
        from upgate.plugin.reporting import Reporting

        config.pluginmanager.register(Reporting(config, gate), "upgate-reporting")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which profile this is."""
    gate = gate_of(config)
    if gate is None:
        return []
    said = gate.profile.probe.said if gate.profile.probe else ""
    return [f"profile: {gate.profile.name} ({gate.profile.source or 'built in'})", *filter(None, [said])]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Our summary takes the place of pytest's."""
    if reporting := session.config.pluginmanager.get_plugin("upgate-reporting"):
        reporting.quieten()
    if gate := gate_of(session.config):
        from upgate.plugin import guard

        guard.protect(session.config, gate.profile.secrets)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> list[pytest.Item] | None:
    """A check is an item of its own; whatever needs pytest's machinery stays a test function."""
    gate = gate_of(collector.config)
    if gate is None or not hasattr(obj, "__check__"):
        return None
    from upgate.plugin import items

    return items.collect(collector, obj, gate)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A plain function that takes `external` is one test for each entry."""
    gate = gate_of(metafunc.config)
    if gate and "external" in metafunc.fixturenames:
        entries = gate.profile.external
        metafunc.parametrize("external", entries, ids=[each.name for each in entries], indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read what functions declare; the subject of an id is a mark for -m."""
    gate = gate_of(config)
    if gate:
        from upgate.plugin import functions

        functions.declare(items, gate)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Look, once the checks are known that will judge; with --settle all rounds are judged here."""
    config, gate = session.config, gate_of(session.config)
    if gate is None or is_worker(config) or config.option.collectonly:
        return
    if gate.options.monitor:
        from upgate.plugin import monitoring

        monitoring.lock_round(gate)
    options.as_usage_error(gate.open)
    if is_controller(config):
        from upgate.plugin import workers

        options.as_usage_error(lambda: workers.look_for_workers(config, gate))
    elif session.items:
        options.as_usage_error(lambda: look_and_settle(session, gate))


def look_and_settle(session: pytest.Session, gate: Gate) -> None:
    """Look once; with --settle look and judge until everything is clear. pytest then presents the last round."""
    from upgate.plugin import progress

    gate.order = [item.stash[CHECK].id for item in session.items]
    if gate.options.settle:
        from upgate.plugin import rounds

        rounds.run_rounds(session, gate)
    else:
        asked = selected(session.items, gate)
        progress.look_with_progress(session.config, gate, inputs_of(asked, gate), brief=are_brief(asked))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What the profile does not select is skipped."""
    gate = gate_of(item.config)
    if gate and CHECK in item.stash:
        from upgate.plugin import functions

        functions.skip_unselected(item, gate)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """A body that ran to its end has judged: say what it comes to."""
    result = yield
    gate = gate_of(pyfuncitem.config)
    if gate and CHECK in pyfuncitem.stash:
        from upgate.plugin import functions

        functions.conclude_body(pyfuncitem, gate)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Attach the result to the report that carries it, also across processes."""
    report = yield
    if CHECK in item.stash:
        from upgate.plugin import reporting

        reporting.attach(item, call, report)
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """A worker says what it was given, before it can die."""
    gate = gate_of(session.config)
    if is_worker(session.config) and gate:
        from upgate.plugin import workers

        workers.hand_over(session, gate)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the cluster."""
    gate = gate_of(config)
    if gate:
        gate.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the snapshot is."""
    from upgate.plugin import workers

    workers.configure_worker(node)
