"""pytest glue: the only package that knows pytest.

options    the command line
fixtures   nouns for checks
judging    a test's end becomes a result, and pytest is told in its own terms
rounds     --settle
workers    pytest-xdist: one snapshot, many processes
progress   what is said meanwhile
guard      what pytest prints itself, made harmless
monitoring --monitor
telling    the summary, the reports, the exit code
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from upgate.plugin import options
from upgate.plugin.state import CHECK, GATE, are_brief, gate_of, is_controller, is_worker, needs_of

if TYPE_CHECKING:
    from upgate.profile.external import External

pytest_plugins = ("upgate.plugin.fixtures",)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add our options. pytest-profiling has a --profile too, and every run with both would die."""
    pluginmanager.set_blocked("profiling")
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile, if this run is about the battery."""
    options.add_markers(config)
    if not options.is_battery_run(config):
        return
    gate = config.stash[GATE] = options.make_gate(config)
    if gate.options.settle and options.in_one_process(config):
        gate.notes.append("-n was left out: settling judges round after round in one process, in milliseconds each")
    config.option.continue_on_collection_errors = True  # one broken file must not hide what all others see
    if is_worker(config):
        from upgate.plugin import workers

        workers.prepare(config, gate)
    elif not config.option.collectonly:
        from upgate.plugin.telling import Telling

        config.pluginmanager.register(Telling(config, gate), "upgate-telling")


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which profile this is."""
    gate = gate_of(config)
    return [f"profile: {gate.profile.name} ({gate.profile.source or 'built in'})"] if gate else []


def pytest_sessionstart(session: pytest.Session) -> None:
    """Our summary takes the place of pytest's."""
    if telling := session.config.pluginmanager.get_plugin("upgate-telling"):
        telling.quieten()
    if gate := gate_of(session.config):
        from upgate.plugin import guard

        guard.protect(session.config, gate.profile.secrets)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each entry of `external:` that is of the test's kind."""
    from upgate.battery import declaration

    gate = gate_of(metafunc.config)
    if gate and "external" in metafunc.fixturenames:
        id = declaration(metafunc.function, "").id
        entries = [each for each in gate.profile.external if is_for(id, each)] or [None]
        metafunc.parametrize(
            "external", entries, ids=[getattr(entry, "name", "none") for entry in entries], indirect=True
        )


def is_for(id: str, entry: External) -> bool:
    """The check of this id judges the entry; one whose id does not name the entry's kind judges them all."""
    return "{name}" not in id or id.replace("{name}", entry.name) == entry.id


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """A check for entries of which there are none is not there: it is not counted either."""
    from upgate.plugin import judging

    made = yield
    is_list = isinstance(made, list) and gate_of(collector.config)
    return [item for item in made if not judging.has_no_entries(item)] if is_list else made


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read each test's declaration; the subject of its id is a mark for -m."""
    from upgate.plugin import judging

    gate = gate_of(config)
    if gate:
        judging.declare(items, gate)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Look, once the checks are known that will judge; with --settle also run the rounds."""
    config, gate = session.config, gate_of(session.config)
    if gate is None or is_worker(config) or config.option.collectonly:
        return None
    if gate.options.monitor:
        from upgate.plugin import monitoring

        monitoring.begin(gate)
    options.usable(gate.open)
    if is_controller(config):
        from upgate.plugin import workers

        options.usable(lambda: workers.look_first(config, gate))
        return None
    if not session.items:
        return None
    gate.order = [item.stash[CHECK].id for item in session.items]
    if gate.options.settle:
        from upgate.plugin import rounds

        rounds.run(session, gate, gate.options.settle)
        return True
    from upgate.plugin import progress

    progress.look(config, gate, needs_of(session.items), brief=are_brief(session.items))
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Every round begins anew."""
    if CHECK in item.stash:
        from upgate.plugin import judging

        judging.begin(item)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """A body that ran to its end has judged: say what it comes to."""
    result = yield
    gate = gate_of(pyfuncitem.config)
    if gate and CHECK in pyfuncitem.stash:
        from upgate.plugin import judging

        judging.conclude_body(pyfuncitem, gate)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Attach the result to the report that carries it, also across processes."""
    report = yield
    if CHECK in item.stash:
        from upgate.plugin import judging

        judging.attach_result(item, call, report)
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """A worker says what it was given, before it can die."""
    if is_worker(session.config) and gate_of(session.config):
        from upgate.plugin import workers

        workers.hand_over(session)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the cluster."""
    gate = gate_of(config)
    if gate:
        gate.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist where the snapshot is."""
    from upgate.plugin import workers

    workers.tell(node)
