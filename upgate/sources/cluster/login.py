"""From a kubeconfig, or from inside a pod, to a connection; and who that makes us.

The official client does the work. Two of its habits are taken care of: a failing exec plugin is only logged, and the
client goes on without credentials; and a plugin may wait without end for input.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from upgate.base.errors import Inconclusive, UsageError
from upgate.base.redaction import redact
from upgate.base.threads import run_with_timeout
from upgate.sources.cluster.connection import SAYING, Connection, NoAnswer, Timeouts, status_message, text_member

if TYPE_CHECKING:
    from kubernetes.client import Configuration

#: Seconds that reading the kubeconfig may take, an exec plugin included.
LOGIN_LIMIT = 60.0
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ANONYMOUS = "system:anonymous"


class Login(NamedTuple):
    """A connection, and what the login plugins said on the way."""

    connection: Connection
    said: str


def connect(kubeconfig: str | Path | None = None, context: str | None = None, patience: Timeouts = Timeouts()) -> Login:  # noqa: B008
    """Log in with a kubeconfig (default: $KUBECONFIG, then ~/.kube/config, then in-cluster).

    Raises UsageError where there is no usable kubeconfig or no such context, Inconclusive where a plugin hangs.
    """
    from kubernetes.client import ApiClient, Configuration

    configuration = Configuration()
    with plugins_ended():
        said = in_time(min(LOGIN_LIMIT, patience.deadline), lambda: load_kubeconfig(configuration, kubeconfig, context))
    configuration.retries = False
    if not configuration.verify_ssl:
        said_by_ourselves()
    configuration.connection_pool_maxsize = 16
    return Login(Connection(ApiClient(configuration), patience, renews=renews(kubeconfig, context)), said)


def said_by_ourselves() -> None:
    """The warning of a connection that is not verified: every report has a note of it (`Connection.forgeable`)."""
    import urllib3

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def load_kubeconfig(configuration: Configuration, kubeconfig: str | Path | None, context: str | None) -> str:
    """Fill the configuration; return what was logged meanwhile."""
    from kubernetes import config

    source = source_of(kubeconfig)
    with overheard() as log, contextlib.redirect_stdout(io.StringIO()), kubeconfig_errors_worded(source, context):
        if kubeconfig is None and not any(Path(part).expanduser().exists() for part in source.split(":") if part):
            load_in_cluster(configuration, source)
        else:
            config.load_kube_config(source, context or first_context(source), configuration, persist_config=False)
    return redact("; ".join(log))


def source_of(kubeconfig: str | Path | None) -> str:
    """The path of the kubeconfig, or several with `:` between them."""
    from kubernetes import config

    return str(Path(kubeconfig).expanduser()) if kubeconfig else config.KUBE_CONFIG_DEFAULT_LOCATION


@contextlib.contextmanager
def kubeconfig_errors_worded(source: str, context: str | None) -> Iterator[None]:
    """Turn what is wrong with a kubeconfig into a UsageError of one sentence."""
    import yaml
    from kubernetes import config

    wrong = (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, KeyError, AttributeError)
    try:
        yield
    except wrong as problem:
        raise UsageError(kubeconfig_problem(problem, source, context)) from problem


def usable_kubeconfig(kubeconfig: str | Path | None, context: str | None) -> None:
    """Read the kubeconfig as a run does, but run no plugin and refresh no token. Raises UsageError."""
    from kubernetes.client import Configuration
    from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

    class WithoutPlugins(KubeConfigLoader):
        def _load_auth_provider_token(self) -> None: ...

        def _load_from_exec_plugin(self) -> None: ...

    source = source_of(kubeconfig)
    with overheard(), contextlib.redirect_stdout(io.StringIO()), kubeconfig_errors_worded(source, context):
        merged = KubeConfigMerger(source).config
        if merged is None:
            raise ValueError("it holds no configuration")
        WithoutPlugins(merged, active_context=context or first_context(source)).load_and_set(Configuration())


def renews(kubeconfig: str | Path | None, context: str | None) -> bool:
    """A plugin, a token file or a pod's service account gives what we log in with: it is renewed by itself."""
    from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

    source = source_of(kubeconfig)
    with overheard(), contextlib.redirect_stdout(io.StringIO()):
        merged = KubeConfigMerger(source).config
        if merged is None:
            return True
        with kubeconfig_errors_worded(source, context):
            user = KubeConfigLoader(merged, active_context=context or first_context(source))._user
    return user is None or any(key in user for key in ("exec", "auth-provider", "tokenFile"))


def first_context(source: str) -> str | None:
    """The current context of several files: the first that names one decides. The client takes the last, even if empty.

    https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files
    """
    import yaml

    paths = [path for part in source.split(":") if part and (path := Path(part).expanduser()).exists()]
    texts = (path.read_text() for path in paths) if len(paths) > 1 else ()
    contents = (yaml.safe_load(text) for text in texts)
    return next((each["current-context"] for each in contents if each and each.get("current-context")), None)


def load_in_cluster(configuration: Configuration, source: str) -> None:
    """Use the pod's service account. Raises UsageError where this is not a pod."""
    from kubernetes import config

    try:
        config.load_incluster_config(configuration)
    except config.ConfigException as problem:
        raise UsageError(
            f"no cluster to judge: there is no kubeconfig at {source}, and this is not a pod ({str(problem).rstrip('.')}). "
            "Set KUBECONFIG, or `cluster: {kubeconfig: …}` in the profile."
        ) from problem


def kubeconfig_problem(problem: Exception, source: str, context: str | None) -> str:
    """One sentence for a kubeconfig that cannot be used."""
    detail = redact(" ".join(str(problem).split())) or type(problem).__name__
    if not any(Path(part).expanduser().exists() for part in source.split(":") if part):
        detail = "there is no such file"
    wanted = f" with context {context!r}" if context else ""
    known = contexts(source)
    hint = f" Its contexts: {', '.join(known)}." if known else ""
    return f"cannot use kubeconfig {source}{wanted}: {detail.rstrip('.')}.{hint}"


def contexts(source: str) -> list[str]:
    """The names of the contexts in a kubeconfig, as far as it can be read."""
    import yaml

    names: list[str] = []
    for part in filter(None, source.split(":")):
        with contextlib.suppress(OSError, ValueError, yaml.YAMLError, TypeError, KeyError, AttributeError):
            names += [str(each["name"]) for each in yaml.safe_load(Path(part).expanduser().read_text())["contexts"]]
    return names


@contextlib.contextmanager
def overheard() -> Iterator[list[str]]:
    """The messages that the client logs in the meantime, instead of on the terminal."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    others, root.handlers = root.handlers, [handler]
    try:
        yield messages
    finally:
        root.handlers = others


@contextlib.contextmanager
def plugins_ended() -> Iterator[None]:
    """End the credential plugins that the client starts meanwhile and that still run, with all that they have started.

    They get no input, and a session of their own.
    """
    from kubernetes.config import exec_provider

    started: list[subprocess.Popen[str]] = []

    def start(*args: Any, **options: Any) -> subprocess.Popen[str]:
        options |= {"stdin": subprocess.DEVNULL, "start_new_session": True}
        started.append(subprocess.Popen(*args, **options))  # noqa: S603 - what the user's kubeconfig names
        return started[-1]

    replaced = SimpleNamespace(Popen=start, PIPE=subprocess.PIPE)
    exec_provider.subprocess = replaced  # type: ignore[assignment]  # all of it that the client uses
    try:
        yield
    finally:
        exec_provider.subprocess = subprocess
        for plugin in started:
            if plugin.poll() is None:
                os.killpg(plugin.pid, signal.SIGKILL)


def in_time(seconds: float, work: Callable[[], str]) -> str:
    """Do the work, but do not wait longer for it. Raises what it raises, and Inconclusive when the time is over."""
    try:
        return run_with_timeout(seconds, work)
    except TimeoutError:
        raise Inconclusive(
            f"logging in: the kubeconfig's credential plugin did not finish within {seconds:g} s"
        ) from None


def who_am_i(login: Login) -> str:
    """The user name that the API server knows us by; empty where that may not be asked. Raises NoAnswer, Inconclusive."""
    answer = login.connection.post(REVIEW, {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
    said = status_message(answer)
    plugin = f" The login plugin said: {login.said}" if login.said else ""
    if answer.status == 401:
        raise Inconclusive(f"not logged in: the API server does not accept our credentials (401 {said}).{plugin}")
    name = user_of(answer.body) if answer.status in (200, 201) else ""
    if ANONYMOUS in (name or said):
        why = plugin or " The kubeconfig gives no credentials."
        raise Inconclusive(f"not logged in: the API server knows us as {ANONYMOUS}.{why}")
    return (
        name  # where it stays empty (refused, before Kubernetes 1.28, …), what we may do shows in the answers to come
    )


def user_of(body: bytes | bytearray) -> str:
    """`status.userInfo.username` of a SelfSubjectReview. Raises NoAnswer where there is none."""
    name = text_member(body, "status", "userInfo", "username")
    if name is None:
        raise NoAnswer("asking who we are: the answer is not a SelfSubjectReview", connected=True)
    return name[:SAYING]
