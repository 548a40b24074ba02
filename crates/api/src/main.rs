//! The program `natter`.

use natter_api::administer::{self, AdministerError, Order};
use natter_api::app::{self, StartError};
use natter_api::backup::{self, BackupError};
use natter_api::clock::{SystemClock, SystemEntropy};
use natter_api::config::{self, Config};
use natter_api::healthcheck::healthcheck;
use natter_api::http::caddy;
use natter_api::moving::{self, MoveError};
use natter_api::store::mongo::{self, PrepareError};
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
        ["help", ..] | [.., "--help" | "-h"] => say(&config::help()),
        ["export", file] if !file.starts_with('-') => with_settings(
            async |config| moving::export(&config, file.as_ref(), &SystemClock, &SystemEntropy).await,
            MoveError::is_an_argument,
        ),
        ["import", file] if !file.starts_with('-') => {
            with_settings(async |config| moving::import(&config, file.as_ref()).await, MoveError::is_an_argument)
        }
        ["backup", ref order @ ..] => match backup::Order::parse(order) {
            Some(order) => with_settings(
                async |config| backup::backup(&config, order, &SystemClock, &SystemEntropy).await,
                BackupError::is_a_setting,
            ),
            None => misunderstood(&arguments),
        },
        ["restore", ref order @ ..] => match backup::Restore::parse(order) {
            Some(order) => {
                with_settings(async |config| backup::restore(&config, &order).await, BackupError::is_a_setting)
            }
            None => misunderstood(&arguments),
        },
        ["admin", "grant", name] if !name.starts_with('-') => administer(Order::Grant(name)),
        ["admin", "revoke", name] if !name.starts_with('-') => administer(Order::Revoke(name)),
        ["admin", "delete", name] if !name.starts_with('-') => administer(Order::Delete(name)),
        ["admin", "list"] => administer(Order::List),
        ["mongodb", "prepare", member, secrets] if !member.starts_with('-') => prepare(member, secrets),
        ["healthcheck"] => with_settings(async |config| healthcheck(&config), |_| false),
        ["caddy", folder] if !folder.starts_with('-') => caddy(folder),
        ["--version" | "-V"] => say(&version()),
        _ => misunderstood(&arguments),
    }
}

fn misunderstood(arguments: &[&str]) -> ExitCode {
    complain(&format!("natter: {} is not understood; `natter --help` says what is", arguments.join(" ")));
    ExitCode::from(MISUSED)
}

/// The version, the commit that `cargo xtask dist` builds from, and what it was built for. Only this file asks for the
/// commit, so that another one compiles nothing else anew.
fn version() -> String {
    let (version, target) = (env!("CARGO_PKG_VERSION"), env!("NATTER_BUILD_TARGET"));
    match option_env!("NATTER_BUILD_COMMIT") {
        Some(commit) if !commit.is_empty() => format!("natter {version} ({commit}, {target})\n"),
        _ => format!("natter {version} ({target})\n"),
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
    end(app::block_on(command(config)), is_an_argument)
}

/// Says what a command has to tell, or why it could not be done.
fn end<E: std::fmt::Display>(done: Result<String, E>, is_an_argument: impl Fn(&E) -> bool) -> ExitCode {
    match done {
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

/// No setting of the server's is read: the passwords are in files, and mongod is on this machine.
fn prepare(member: &str, secrets: &str) -> ExitCode {
    end(app::block_on(mongo::prepare(member, secrets.as_ref())), PrepareError::is_an_argument)
}

fn caddy(folder: &str) -> ExitCode {
    let snippet = caddy::snippet(folder.as_ref());
    end(snippet.map_err(|why| format!("the page in {folder} cannot be read: {why}")), |_| true)
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
    end(served.map(|()| String::new()), StartError::is_a_setting)
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
