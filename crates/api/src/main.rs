//! The program `natter`.

use natter_api::administer::{self, AdministerError, Order};
use natter_api::app;
use natter_api::clock::{SystemClock, SystemEntropy};
use natter_api::config::{self, Config};
use natter_api::moving::{self, MoveError};
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
        ["--help" | "-h" | "help"]
        | ["serve" | "export" | "import" | "admin", "--help" | "-h"]
        | ["help", "serve" | "export" | "import" | "admin"] => say(&config::help()),
        ["export", file] if !file.starts_with('-') => with_settings(
            async |config| moving::export(&config, file.as_ref(), &SystemClock, &SystemEntropy).await,
            MoveError::is_an_argument,
        ),
        ["import", file] if !file.starts_with('-') => {
            with_settings(async |config| moving::import(&config, file.as_ref()).await, MoveError::is_an_argument)
        }
        ["admin", "grant", name] if !name.starts_with('-') => administer(Order::Grant(name)),
        ["admin", "revoke", name] if !name.starts_with('-') => administer(Order::Revoke(name)),
        ["admin", "delete", name] if !name.starts_with('-') => administer(Order::Delete(name)),
        ["admin", "list"] => administer(Order::List),
        ["--version" | "-V"] => say(concat!("natter ", env!("CARGO_PKG_VERSION"), "\n")),
        _ => {
            complain(&format!("natter: {} is not understood; `natter --help` says what is", arguments.join(" ")));
            ExitCode::from(MISUSED)
        }
    }
}

/// The settings, or the code to end with after their faults were told.
fn settings() -> Result<Config, ExitCode> {
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    let config = Config::from_variables(variables).map_err(|wrong| {
        complain(&wrong.to_string());
        ExitCode::from(MISUSED)
    })?;
    telemetry::start(&config);
    Ok(config)
}

/// Runs a command that ends by itself and has something to tell then.
fn with_settings<E: std::fmt::Display>(
    command: impl AsyncFnOnce(Config) -> Result<String, E>,
    is_an_argument: impl Fn(&E) -> bool,
) -> ExitCode {
    let config = match settings() {
        Ok(config) => config,
        Err(code) => return code,
    };
    match app::block_on(command(config)) {
        Ok(told) => say(&told),
        Err(error) => {
            complain(&format!("natter: {error}"));
            if is_an_argument(&error) { ExitCode::from(MISUSED) } else { ExitCode::FAILURE }
        }
    }
}

fn administer(order: Order<'_>) -> ExitCode {
    with_settings(
        async |config| administer::administer(&config, order, &SystemClock, &SystemEntropy).await,
        AdministerError::is_an_argument,
    )
}

fn serve() -> ExitCode {
    let config = match settings() {
        Ok(config) => config,
        Err(code) => return code,
    };
    let served = app::block_on(async move {
        let app = app::App::build(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await?;
        say(&format!("natter listens on {}\n", app.url()));
        app.stop_on_signals()?;
        app.run_until_stopped().await
    });
    telemetry::finish();
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
