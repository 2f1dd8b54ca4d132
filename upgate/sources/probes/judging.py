"""A target and what was seen of it → problems in words. Pure: no clock, no network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from upgate.base.durations import format_duration
from upgate.base.errors import Inconclusive
from upgate.base.text import counted
from upgate.facts.attempts import CERTIFICATE, Attempt, Certificate, Failure
from upgate.sources.probes.target import ProbeTarget


class Mismatch(NamedTuple):
    """One thing that is not as expected."""

    observed: str
    expected: str


def judge_attempt(target: ProbeTarget, attempt: Attempt) -> list[Mismatch]:
    """Everything that is not as expected; empty if the answer is right.

    Raises Inconclusive if the probe could not look, or was made with other expectations.
    """
    failure = attempt.failure
    if failure and failure.is_ours:
        raise Inconclusive(f"{attempt.target} could not be asked: {failure.words}")
    if target.closed:
        return _open(attempt)
    if failure:
        return [*_failed(target, attempt, failure), *_ageing(target, attempt)]
    wrong = [
        *_status(target, attempt),
        *_version(target, attempt),
        *_content(target, attempt),
        *_ageing(target, attempt),
    ]
    if not wrong and (unknown := next((each.observed for each in attempt.seen if each.met is None), "")):
        raise Inconclusive(f"{attempt.target}: {unknown}")
    return [*wrong, *_slow(target, attempt, tolerant=bool(wrong))]


def _failed(target: ProbeTarget, attempt: Attempt, failure: Failure) -> Iterator[Mismatch]:
    stage = f"{target.stages[len(attempt.seen)]}: " if target.steps else ""
    if failure.kind in CERTIFICATE:
        yield Mismatch(stage + _certificate(attempt, failure), "a certificate that verifies")
        return
    at, words = attempt.address or attempt.target, f" ({failure.words})" if failure.words else ""
    text = {
        "name": failure.words,
        "connect-refused": f"connection refused at {at}",
        "connect-timeout": f"no connection to {at} within {amount(target.timeout)}",
        "unreachable": f"{at} is unreachable{words}",
        "no-network": f"{at} is unreachable{words}",
        "tls-other": f"TLS with {at} failed{words}",
        "reset": f"{at} closed the connection{words}",
        "read-timeout": f"no complete answer from {at} within {amount(target.timeout)}{words}",
        "protocol": f"{at} answered something that is not valid {'DNS' if target.scheme == 'dns' else 'HTTP'}{words}",
    }[failure.kind]
    yield Mismatch(stage + text, target.expected)


def _open(attempt: Attempt) -> list[Mismatch]:
    """A closed port may refuse, ignore or reset the connection. An attempt that did not reach it proves nothing."""
    kind, words = (attempt.failure.kind, attempt.failure.words) if attempt.failure else ("", "")
    if kind in ("name", "no-network"):
        raise Inconclusive(f"cannot tell from here whether {attempt.target} is closed: {words}")
    if kind == "read-timeout" and not attempt.address:
        raise Inconclusive(f"cannot tell whether {attempt.target} is closed: the proxy got no answer in time")
    if kind in ("connect-refused", "connect-timeout", "unreachable", "reset"):
        return []
    return [Mismatch(f"{attempt.address} {_answer(attempt)}", "closed")]


def _answer(attempt: Attempt) -> str:
    """What a port that should be closed answered."""
    if attempt.status:
        return f"answers with status {attempt.status}"
    if attempt.failure is None:
        return "accepts connections"
    return "accepts connections, and does not answer" if attempt.failure.kind == "read-timeout" else "answers"


def _certificate(attempt: Attempt, failure: Failure) -> str:
    certificate, words = attempt.certificate, failure.words
    if failure.kind == "tls-wrong-name":
        return (
            f"certificate is for {_names(certificate)}, not {words}"
            if certificate
            else f"certificate is not for {words}"
        )
    if failure.kind == "tls-unknown-issuer":
        return f"certificate was issued by {_issuer(certificate)}, which is not trusted ({words})"
    if certificate and certificate.not_after and certificate.not_after < attempt.started:
        return _expired(certificate.not_after, attempt.started)
    return f"a certificate of the chain has expired ({words})"


def _expired(since: datetime, now: datetime) -> str:
    return f"certificate expired {counted((now - since).days, 'day')} ago ({since:%Y-%m-%d})"


def _names(certificate: Certificate) -> str:
    names = certificate.names
    if not names and certificate.problem:
        return f"names that cannot be read ({certificate.problem})"
    if not names:
        return f"no name (only its subject has {certificate.subject})"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _issuer(certificate: Certificate | None) -> str:
    if certificate is None or not certificate.issuer:
        return "an unknown issuer"
    return "itself" if certificate.issuer == certificate.subject else certificate.issuer


def _status(target: ProbeTarget, attempt: Attempt) -> Iterator[Mismatch]:
    if attempt.status is None or target.accepts(attempt.status):
        return
    redirect = f", redirects to {attempt.location}" if attempt.location else ""
    excerpt = f'; the body begins "{attempt.excerpt}"' if attempt.excerpt else ""
    yield Mismatch(f"status {attempt.status}{redirect}{excerpt}", target.expected)


def _version(target: ProbeTarget, attempt: Attempt) -> Iterator[Mismatch]:
    if target.http2 and attempt.http_version not in ("HTTP/2", ""):
        yield Mismatch(f"answered over {attempt.http_version}", "HTTP/2")


def _content(target: ProbeTarget, attempt: Attempt) -> Iterator[Mismatch]:
    if target.scheme in ("ws", "wss") and attempt.status != 101:
        return  # the wrong status is reported already
    seen = {each.expected: each for each in attempt.seen}
    for expected in expected_words(target):
        if expected not in seen:
            raise Inconclusive(f"{attempt.target} was asked with other expectations than these; ask it again")
        if seen[expected].met is False:
            yield Mismatch(seen[expected].observed, target.expected if target.steps else expected)
        if target.steps and not seen[expected].met:
            return  # the journey ended there


def expected_words(target: ProbeTarget) -> list[str]:
    """What is wrong with the answer's content, without secrets."""
    return [*target.stages, *(target.mask(str(each)) for each in target.expectations)]


def _slow(target: ProbeTarget, attempt: Attempt, tolerant: bool) -> Iterator[Mismatch]:
    took, ours = attempt.elapsed.total, attempt.elapsed.ours
    if target.within is None or took <= target.within:
        return
    if took - ours > target.within:
        yield Mismatch(f"took {took:.2f} s", f"within {amount(target.within)}")
    elif not tolerant:
        raise Inconclusive(f"{attempt.target} took {took:.2f} s; this machine was busy for {ours:.2f} s of it")


def _ageing(target: ProbeTarget, attempt: Attempt) -> Iterator[Mismatch]:
    certificate = attempt.certificate
    if target.tls_days is None:
        return
    expected = f"more than {counted(target.tls_days, 'day')} left"
    if certificate is None and not attempt.failure:
        yield Mismatch("no certificate: the answer came without TLS", expected)
    if certificate is None:
        return
    left = certificate.days_left(attempt.started)
    if left is None:
        yield Mismatch(f"the certificate's last day cannot be read ({certificate.problem})", expected)
    elif 0 <= left <= target.tls_days:
        yield Mismatch(f"certificate has {counted(left, 'day')} left ({certificate.not_after:%Y-%m-%d})", expected)


def amount(seconds: float) -> str:
    """A duration as profiles write it: `800ms`, `5s`."""
    return format_duration(timedelta(seconds=seconds))
