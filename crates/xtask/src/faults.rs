//! `cargo xtask faults`: builds the server as it is shipped, the server with planted bugs, and the harness, finds mongod and
//! redis-server, and runs it. A part of that is a step of `cargo xtask test`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process::{self, Output, Running};
use crate::progress::say;
use crate::tools::{self, Part, mongod, redis_server};
use crate::workspace;

/// What the two nodes of `--store cluster` need to be installed.
const NEEDS: &[Part] = &[Part::Mongod, Part::RedisServer];
/// Selected as the tests are selected, with one of them that is quickly built: so what they all depend on has the features
/// that it has there, and is not compiled once more.
const LIKE_THE_TESTS: &[&str] = &["build", "--quiet", "--workspace", "--test", "wire"];

/// Returns with the exit status of the harness.
pub fn run(arguments: &[String]) -> Result<ExitCode> {
    let arguments: Vec<&String> = arguments.iter().skip_while(|argument| *argument == "--").collect();
    if arguments.iter().any(|argument| argument.contains("cluster")) {
        tools::ensure(NEEDS)?;
    }
    let mut faults = build()?.command()?;
    faults.args(arguments);
    Ok(process::exit_code(Running::start(faults, Output::Shown)?.wait()))
}

/// The profile `ci` on both stores, after the harness itself was tried. Returns why a store was left out, if one was.
pub fn quickly() -> Result<Option<&'static str>> {
    // It kills its own: running ones that MONGODB_URI and REDIS_URL name are of no use.
    let both = mongod::find()?.is_some() && redis_server::find()?.is_some();
    let store = if both { "sqlite,cluster" } else { "sqlite" };
    let built = build()?;
    for arguments in [&["--self-test"][..], &["--profile", "ci"]] {
        let mut faults = built.command()?;
        faults.args(arguments).args(["--store", store]);
        process::shown(faults)?;
    }
    let why = "on SQLite only: mongod or redis-server is neither on PATH nor named by NATTER_TEST_MONGOD and \
               NATTER_TEST_REDIS_SERVER, and running ones of MONGODB_URI and REDIS_URL are not to be killed";
    Ok((!both).then_some(why))
}

/// The harness alone, for what it does not start itself.
pub fn harness() -> Result<Command> {
    let mut command = Command::new(program("natter-faults", "natter-faults", &[])?);
    // It starts no server of this machine, and wants one to be named.
    command.current_dir(workspace::root()).arg("--binary").arg("natter");
    Ok(command)
}

/// The programs of a run.
struct Built {
    harness: PathBuf,
    natter: PathBuf,
    planted: PathBuf,
}

impl Built {
    /// The harness, with all that it starts.
    fn command(&self) -> Result<Command> {
        let mut faults = Command::new(&self.harness);
        faults.current_dir(workspace::root());
        faults.arg("--binary").arg(&self.natter).arg("--planted-binary").arg(&self.planted);
        if let Some(mongod) = mongod::find()? {
            faults.arg("--mongod").arg(mongod);
        }
        if let Some(redis_server) = redis_server::find()? {
            faults.arg("--redis-server").arg(redis_server);
        }
        Ok(faults)
    }
}

fn build() -> Result<Built> {
    say("building the server, the server with planted bugs, and the harness");
    let planted = program("natter", "natter-planted", &["--features", "natter-api/planted-bugs"])?;
    // Built last, so that what lies in the target folder afterwards is what is shipped.
    let natter = program("natter", "natter", &[])?;
    let harness = program("natter-faults", "natter-faults", &[])?;
    Ok(Built { harness, natter, planted })
}

/// Builds a program and copies it to where no later build replaces it.
fn program(name: &str, copied_as: &str, features: &[&str]) -> Result<PathBuf> {
    let mut build = workspace::cargo();
    build.args(LIKE_THE_TESTS).args(["--bin", name]).args(features);
    process::shown(build)?;
    let folder = workspace::target()?.join("faults");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let copy = folder.join(copied_as);
    fs::copy(workspace::target()?.join("debug").join(name), &copy)
        .with_context(|| format!("{name} cannot be copied"))?;
    Ok(copy)
}
