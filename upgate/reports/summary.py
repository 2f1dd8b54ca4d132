"""`summary.md`: the verdict and the causes in Markdown, for CI systems and merge requests; and GitHub's annotations.

All text of the cluster stands in code spans, where Markdown knows no links, mentions, images and tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from upgate.base.text import counted
from upgate.reports import words
from upgate.reports.cause_list import Cause, cause_list
from upgate.reports.cause_words import (
    affected,
    cause_counts,
    cause_headline,
    cause_marks,
    cause_object,
    cause_observed,
    rest_of_causes,
    unjudged_reasons,
)
from upgate.reports.cleaning import cleaned, one_line
from upgate.results import CheckResult, Results

#: So many causes are listed; GitHub takes no more than 1 MiB for a step.
MOST_LISTED = 50
#: GitHub shows no more annotations of a kind for each step.
MOST_ANNOTATIONS = 10
BACKTICKS = re.compile("`+")


def render_summary(results: Results) -> bytes:
    """The summary in Markdown."""
    return ("\n".join(summary_lines(cleaned(results))) + "\n").encode()


def summary_lines(results: Results) -> Iterator[str]:
    """The summary, line by line: verdict, numbers, causes, what was not judged."""
    listed = cause_list(results)
    yield f"## upgate: {words.verdict(results)}"
    yield ""
    yield "; ".join(filter(None, (cause_counts(listed), words.counts(results))))
    yield ""
    place = f"Profile {code_span(results.profile)}, cluster {code_span(words.cluster(results))}"
    yield f"{place}, {words.to_the_second(results.started)}"
    yield ""
    for number, cause in enumerate(listed.causes[:MOST_LISTED], 1):
        yield from cause_entry(number, cause, results.gone is not None)
    if left := listed.causes[MOST_LISTED:]:
        yield f"\n{words.more(len(left), 'report.html')}: {code_span(rest_of_causes(left))}"
    if reasons := unjudged_reasons(results):
        yield from ("", "Not judged, so not a pass:", "")
        yield from (unjudged_entry(reason, sharing) for reason, sharing in reasons.items())


def cause_entry(number: int, cause: Cause, compared: bool) -> Iterator[str]:
    """One cause: what is wrong, its check and consequences, the command to look first."""
    yield f"{number}. {code_span(cause_object(cause))}: {code_span(cause_observed(cause))}"
    marks = [code_span(cause.check.id), *cause_marks(cause, compared=compared)]
    names = [code_span(it.finding.object) for it in affected(cause)]
    if cause.consequences:
        marks.append(
            f"{counted(len(cause.consequences), 'consequence')}: {words.shortened_list(names, 3)}".rstrip(": ")
        )
    yield f"   <br>{', '.join(marks)}"
    if cause.first.hint:
        yield f"   <br>look first: {code_span(cause.first.hint, 1_000)}"


def unjudged_entry(reason: str, sharing: Iterable[CheckResult]) -> str:
    """One reason, and the checks that share it."""
    return f"- {words.shortened_list([code_span(check.id) for check in sharing])}: {code_span(reason)}"


def code_span(text: str, limit: int = 500) -> str:
    """The text as it is: its delimiter is longer than any run of backticks in it (CommonMark 6.1)."""
    line = one_line(text, limit) or " "
    fence = "`" * (max(map(len, BACKTICKS.findall(line)), default=0) + 1)
    padded = f" {line} " if len(fence) > 1 else line
    return f"{fence}{padded}{fence}"


def github_annotations(results: Results) -> list[str]:
    """GitHub's workflow commands: an error for each critical cause, a warning for each other and for what was not judged."""
    results = cleaned(results)
    told = [annotation(cause) for cause in cause_list(results).causes]
    told += [("warning", check.id, reason) for reason, (check, *_) in unjudged_reasons(results).items()]
    kinds = ("error", "warning")
    return [
        f"::{kind} title={escaped_property(f'upgate {title}')}::{escaped_data(text)}"
        for wanted in kinds
        for kind, title, text in [each for each in told if each[0] == wanted][:MOST_ANNOTATIONS]
    ]


def annotation(cause: Cause) -> tuple[str, str, str]:
    """The kind, title and text of one cause's annotation."""
    grave = cause.first.severity == "critical" and not cause.first.transitional
    return "error" if grave else "warning", one_line(cause.check.id), cause_headline(cause)


def escaped_data(text: str) -> str:
    """A command's message, as actions/toolkit escapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    """A command's property, as actions/toolkit escapes it."""
    return escaped_data(text).replace(":", "%3A").replace(",", "%2C")
