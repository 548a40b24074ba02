//! `cargo xtask run`: builds what is not up to date, starts the server as a person would, and waits for its end.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process::{Output, Running};
use crate::progress::{Stopwatch, say};
use crate::{RunArgs, page, process, ready};

/// Returns with the exit status of the server.
pub fn run(args: &RunArgs) -> Result<ExitCode> {
    ready::port_is_free(args.port, ", or choose another with `cargo xtask run --port 8081`")?;
    let since = Stopwatch::start();
    let built = page::build()?;
    let address = format!("http://127.0.0.1:{}", args.port);
    let public_url = args.public_url.clone().unwrap_or_else(|| address.clone());
    let mut natter = server(&built.binary, args.port, &public_url, &args.data)?;
    set_default(&mut natter, "NATTER_WEB_DIR", built.page);
    let mut natter = Running::start(natter, Output::Shown)?;
    ready::until_ready(&mut natter, args.port, |_| {})?;
    say(&format!("\nNatter is running: {address}\nReady after {}. Stop it with Ctrl-C.\n", since.words()));
    Ok(process::exit_code(natter.wait()))
}

/// The server with SQLite in `data`. What the environment sets already stays.
pub fn server(binary: &Path, port: u16, public_url: &str, data: &Path) -> Result<Command> {
    let mut natter = listening(binary, port, public_url);
    let mut store = OsString::from("sqlite:");
    store.push(data_folder(data)?.join("natter.db"));
    set_default(&mut natter, "NATTER_STORE", store);
    Ok(natter)
}

/// The server on `port` of 127.0.0.1, with whatever store the environment or the caller sets.
pub fn listening(binary: &Path, port: u16, public_url: &str) -> Command {
    let mut natter = Command::new(binary);
    // The server refuses settings that it does not know, and this one is ours.
    natter.arg("serve").env_remove("NATTER_TOOLS_DIR");
    natter.env("NATTER_LISTEN", format!("127.0.0.1:{port}")).env("NATTER_PUBLIC_URL", public_url);
    natter
}

/// The folder of the data, made if it is not there, as a path from the root on.
pub fn data_folder(data: &Path) -> Result<PathBuf> {
    let data = std::path::absolute(data).with_context(|| format!("no such folder can be: {}", data.display()))?;
    fs::create_dir_all(&data).with_context(|| format!("cannot make the data folder {}", data.display()))?;
    Ok(data)
}

pub fn set_default(command: &mut Command, name: &str, value: impl Into<OsString>) {
    if std::env::var_os(name).is_none() {
        command.env(name, value.into());
    }
}
