//! The log: to standard error, as text for people or a JSON object a line for machines; and traces, to a collector if there
//! is one. Both are of the process, so this is the one place with something global.
//!
//! Standard output is for what a command was asked for (`natter export` says there what it did, `natter serve` where it
//! listens); container engines ship both.

mod one_line;
mod traces;

pub use traces::{answered, finish};

use crate::config::{Config, LogFormat};
use one_line::OneLine;
use std::io::IsTerminal as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

/// Starts logging and tracing as the settings say. A second call changes nothing.
pub fn start(config: &Config) {
    let mut filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    // Cutting off a peer that does not hang up is no error of the server's.
    if let Ok(quiet) = "actix_http::h1::dispatcher=off".parse() {
        filter = filter.add_directive(quiet);
    }
    let terminal = std::io::stderr().is_terminal();
    let log = fmt::layer().with_writer(move || OneLine::new(std::io::stderr(), terminal));
    let log = match config.log_format {
        LogFormat::Text => log.with_ansi(terminal).boxed(),
        // Each line names the spans that it is in, with the id of its request: the innermost alone would not.
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(true).boxed(),
    };
    let (traces, why_not) = match config.traces.as_ref().map(traces::layer) {
        None => (None, None),
        Some(Ok(layer)) => (Some(layer), None),
        Some(Err(why)) => (None, Some(why)),
    };
    // An error says that somebody else has set up logging in this process, such as a test.
    let _ = registry().with(log.with_filter(filter)).with(traces).try_init();
    if let Some(why) = why_not {
        tracing::error!(%why, "no traces are sent to NATTER_OTLP_ENDPOINT");
    }
}
