//! Traces of requests, frames, commits and calls of the store, for a collector that takes OTLP. A bounded queue and a thread
//! of its own send them; what finds no room is dropped, and nothing that is traced ever waits for it.

use crate::config::Traces;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Status, TracerProvider as _};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use std::sync::OnceLock;
use std::time::Duration;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// Spans that may wait to be sent.
const QUEUE_MAX: usize = 2_048;
/// Spans of one request to the collector.
const BATCH_MAX: usize = 512;
/// How long a span waits for others.
const GATHER: Duration = Duration::from_secs(2);
/// How long the collector may take.
const ANSWER: Duration = Duration::from_secs(5);

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What turns spans of this program, and nobody else's, into those of a trace.
pub fn layer<S>(traces: &Traces) -> Result<impl Layer<S> + use<S>, ExporterBuildError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let exporter = SpanExporter::builder().with_http().with_endpoint(&traces.endpoint).with_timeout(ANSWER).build()?;
    let batches = BatchConfigBuilder::default()
        .with_max_queue_size(QUEUE_MAX)
        .with_max_export_batch_size(BATCH_MAX)
        .with_scheduled_delay(GATHER)
        .build();
    let resource = Resource::builder_empty()
        .with_service_name("natter")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(traces.sample))))
        .with_resource(resource)
        .build();
    let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("natter"));
    let _ = PROVIDER.set(provider);
    let targets = Targets::new()
        .with_target("natter_api", Level::INFO)
        .with_target("natter::event", Level::INFO)
        .with_target("natter::store", Level::DEBUG);
    Ok(spans.with_location(false).with_threads(false).with_filter(targets))
}

/// Says of a request's span what is known when it is answered. Costs nothing where no traces are sent.
pub fn answered(span: &Span, route: Option<String>, status: u16) {
    if PROVIDER.get().is_none() {
        return;
    }
    if let Some(route) = route {
        span.set_attribute("http.route", route);
    }
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(Status::error(""));
    }
}

/// Sends what still waits. The last call of the process.
pub fn finish() {
    if let Some(provider) = PROVIDER.get() {
        // Its failure is a line of the log already.
        let _ = provider.shutdown_with_timeout(ANSWER);
    }
}
