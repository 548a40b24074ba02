//! redis-server: the one that the environment names, one on PATH, or Debian's, unpacked into the tools folder so that the
//! system's own service is neither installed nor started.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{apt, named_by, program, version};
use crate::progress::say;
use crate::workspace;

/// Names a redis-server; the tests get it under the same name, for some of them kill their own.
pub const VARIABLE: &str = "NATTER_TEST_REDIS_SERVER";
/// Where it is in the tools folder.
pub const FOLDER: &str = "redis";
/// What a person can do instead.
const INSTEAD: &str = "install Redis 7 or later so that redis-server is on PATH, or name it in NATTER_TEST_REDIS_SERVER, or \
                       name a running one in REDIS_URL";

/// The one of `NATTER_TEST_REDIS_SERVER`, else one on PATH or in the tools folder. `None` if none of them runs.
pub fn find() -> Result<Option<PathBuf>> {
    Ok(named_by(VARIABLE, "redis-server")?.or_else(|| program("redis-server").ok()))
}

/// Unpacks Debian's package and those that it needs.
pub fn install(label: &str) -> Result<()> {
    let folder = workspace::tools()?.join(FOLDER);
    let scratch = folder.with_extension("partial");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    say(&format!("{label}: downloading Debian's (2 MB)"));
    let installed = apt::unpack(label, "redis-server", &scratch).and_then(|unpacked| {
        let _ = fs::remove_dir_all(&folder);
        fs::rename(unpacked, &folder)?;
        let start = write_start(&folder)?;
        ensure!(version::fits(&start, "redis-server")?, "{} does not run, or is older than Redis 7", start.display());
        Ok(())
    });
    let _ = fs::remove_dir_all(&scratch);
    installed.with_context(|| format!("Debian's redis-server cannot be unpacked. If that stays so, {INSTEAD}"))
}

/// The program finds the libraries that lie beside it through a script, which becomes the program: one process, one id.
fn write_start(folder: &Path) -> Result<PathBuf> {
    let mut libraries = Vec::new();
    for parent in ["usr/lib", "lib"].map(|name| folder.join(name)) {
        // Debian keeps them one deeper, in a folder for the processor.
        let Ok(entries) = fs::read_dir(&parent) else { continue };
        libraries.extend(entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()));
        libraries.push(parent);
    }
    let libraries: Vec<_> = libraries.iter().map(|path| path.display().to_string()).collect();
    let start = folder.join("redis-server");
    let script = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{}'\nexport LD_LIBRARY_PATH\nexec '{}' \"$@\"\n",
        libraries.join(":"),
        folder.join("usr/bin/redis-server").display()
    );
    fs::write(&start, script).with_context(|| format!("cannot write {}", start.display()))?;
    fs::set_permissions(&start, Permissions::from_mode(0o755))?;
    Ok(start)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::process;

    #[test]
    fn the_script_becomes_the_program_and_shows_it_its_libraries() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["usr/bin", "usr/lib/some-processor"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let program = folder.path().join("usr/bin/redis-server");
        fs::write(&program, "#!/bin/sh\necho \"$$ $LD_LIBRARY_PATH $1\"\n").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        let start = write_start(folder.path()).unwrap();
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("echo $$; exec '{}' 'one word'", start.display()));
        let said = process::read(shell, Duration::from_secs(10)).unwrap();
        let mut lines = said.lines();
        let id = lines.next().unwrap();
        let usr = folder.path().join("usr/lib").display().to_string();
        assert_eq!(lines.next().unwrap(), format!("{id} {usr}/some-processor:{usr} one word"));
    }
}
