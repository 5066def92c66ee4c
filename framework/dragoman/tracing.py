"""The steps of a message as OpenTelemetry's spans: receive, route, run, deliver.

Only its API is used, which does nothing until somebody installs its SDK and says where spans go; until then a step
costs one look at who is there. What links the steps of different processes is the ``traceparent`` that events and
actions carry, and the headers of their messages: https://www.w3.org/TR/trace-context/
"""

import contextlib
from collections.abc import Iterator
from typing import Final, Self

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from .trace import within_trace

__all__ = ["Step", "Steps", "active", "begin", "within"]

W3C: Final = TraceContextTextMapPropagator()

KINDS: Final = {
    "receive": SpanKind.SERVER,
    "route": SpanKind.CONSUMER,
    "run": SpanKind.CONSUMER,
    "deliver": SpanKind.CLIENT,
}


class Step:
    """One step of a message's way.

    Attributes:
        traceparent: for what comes after it.
    """

    __slots__ = ("_span", "traceparent")

    def __init__(self, traceparent: str, span: Span | None = None) -> None:
        self.traceparent = traceparent
        self._span = span

    def end(self, error: str = "") -> None:
        """It is over; ``error`` says why it failed, without a secret. Only the first end counts."""
        span, self._span = self._span, None
        if span is not None:
            if error:
                span.set_status(Status(StatusCode.ERROR, error))
            span.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self.end(kind.__name__ if kind is not None else "")


class Steps:
    """``with Steps() as steps``: what was begun and has not ended ends with the block."""

    def __init__(self) -> None:
        self._begun: list[Step] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        for step in self._begun:
            step.end(kind.__name__ if kind is not None else "")

    def begin(self, name: str, traceparent: str, **attributes: str | int) -> Step:
        """As `begin`."""
        step = begin(name, traceparent, **attributes)
        self._begun.append(step)
        return step


def active() -> bool:
    """Whether anybody listens: an SDK has been installed and set up."""
    return not isinstance(trace.get_tracer_provider(), ProxyTracerProvider | NoOpTracerProvider)


def begin(name: str, traceparent: str, **attributes: str | int) -> Step:
    """Begin a step below another.

    Args:
        name: ``receive``, ``route``, ``run`` or ``deliver``.
        traceparent: of the step before it; empty for the first.
        attributes: accounts, skills, kinds: nothing that somebody has said.
    """
    if not active():
        return Step(traceparent)
    parent = W3C.extract({"traceparent": traceparent}, context=otel_context.Context())
    span = trace.get_tracer("dragoman").start_span(
        name,
        context=parent,
        kind=KINDS[name],
        attributes={f"dragoman.{key}": value for key, value in attributes.items()},
    )
    carrier: dict[str, str] = {}
    W3C.inject(carrier, context=trace.set_span_in_context(span, otel_context.Context()))
    return Step(carrier.get("traceparent", traceparent), span)


@contextlib.contextmanager
def within(traceparent: str) -> Iterator[None]:
    """In the block, log records and a handler's own spans belong to this step."""
    with within_trace(traceparent):
        if not active():
            yield
            return
        token = otel_context.attach(W3C.extract({"traceparent": traceparent}))
        try:
            yield
        finally:
            otel_context.detach(token)
