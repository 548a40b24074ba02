//! The program `natter`.

use natter_api::app;
use natter_api::clock::{SystemClock, SystemEntropy};
use natter_api::config::{self, Config};
use natter_api::telemetry;
use std::process::ExitCode;
use std::sync::Arc;

/// A setting or an argument that cannot be used.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] | ["serve"] => serve(),
        ["--help" | "-h" | "help"] | ["serve", "--help" | "-h"] | ["help", "serve"] => say(&config::help()),
        ["--version" | "-V"] => say(concat!("natter ", env!("CARGO_PKG_VERSION"), "\n")),
        _ => {
            complain(&format!("natter: {} is not understood; `natter --help` says what is", arguments.join(" ")));
            ExitCode::from(MISUSED)
        }
    }
}

fn serve() -> ExitCode {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    let config = match Config::from_variables(variables) {
        Ok(config) => config,
        Err(wrong) => {
            complain(&wrong.to_string());
            return ExitCode::from(MISUSED);
        }
    };
    telemetry::start(&config);
    let served = app::block_on(async move {
        let app = app::App::build(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
        say(&format!("natter listens on {}\n", app.url()));
        app.stop_on_signals()?;
        app.run_until_stopped().await
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("natter: {error}"));
            if error.is_a_setting() { ExitCode::from(MISUSED) } else { ExitCode::FAILURE }
        }
    }
}

#[expect(clippy::print_stdout, reason = "what a command was asked for goes to standard output")]
fn say(text: &str) -> ExitCode {
    print!("{text}");
    ExitCode::SUCCESS
}

#[expect(clippy::print_stderr, reason = "a sentence for whoever typed the command, also before there is a log")]
fn complain(text: &str) {
    eprintln!("{text}");
}
