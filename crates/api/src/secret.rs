//! The file with the signing keys: read, or, where there is none yet and a lone server may choose, made for this user alone.

use crate::clock::{Entropy, random};
use crate::service::token::{BadKeys, SigningKeys};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why there is no key to sign with. What stands in the file is never repeated.
#[derive(Debug, thiserror::Error)]
pub enum BadSecret {
    #[error("NATTER_SECRET_FILE is {}: {why}", path.display())]
    Keys { path: PathBuf, why: BadKeys },
    #[error("NATTER_SECRET_FILE: {} cannot be read or made: {why}", path.display())]
    File { path: PathBuf, why: io::Error },
    #[error(
        "NATTER_SECRET_FILE: there is no file {}; make one with `openssl rand -hex 32`, readable by its owner only, and \
         give every node the same",
        .0.display()
    )]
    Missing(PathBuf),
}

/// Reads the keys. A file that is not there is made with a new one.
pub fn read_or_make(path: &Path, entropy: &dyn Entropy) -> Result<SigningKeys, BadSecret> {
    let file = |why| BadSecret::File { path: path.to_owned(), why };
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path, entropy).map_err(file)?,
        read => read.map_err(file)?,
    };
    parse(path, &text)
}

/// Reads the keys that several nodes share, of which none may make its own.
pub fn read(path: &Path) -> Result<SigningKeys, BadSecret> {
    let text = std::fs::read_to_string(path).map_err(|why| match why.kind() {
        io::ErrorKind::NotFound => BadSecret::Missing(path.to_owned()),
        _ => BadSecret::File { path: path.to_owned(), why },
    })?;
    parse(path, &text)
}

fn parse(path: &Path, text: &str) -> Result<SigningKeys, BadSecret> {
    warn_if_open(path);
    SigningKeys::parse(text).map_err(|why| BadSecret::Keys { path: path.to_owned(), why })
}

fn make(path: &Path, entropy: &dyn Entropy) -> io::Result<String> {
    let mut line = random::<32>(entropy).iter().fold(String::new(), |mut line, byte| {
        let _ = write!(line, "{byte:02x}");
        line
    });
    line.push('\n');
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(line.as_bytes())?;
    // Logins hang on it: it must outlive a power cut like everything that they signed.
    file.sync_all()?;
    tracing::info!(path = %path.display(), "made a signing key");
    Ok(line)
}

#[cfg(unix)]
fn warn_if_open(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    // What an engine mounts into a container is the container's alone, whatever its mode says.
    let mounted = path.starts_with("/run/secrets");
    let open = !mounted && std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0);
    if open {
        tracing::warn!(path = %path.display(), "others than its owner can read the signing key: chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_if_open(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let made = read_or_make(&path, &SystemEntropy).unwrap();
        let read = read_or_make(&path, &SystemEntropy).unwrap();
        assert_eq!(made.current().id(), read.current().id());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.len() == 65 && text.trim().bytes().all(|b| b.is_ascii_hexdigit()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_that_nodes_share_is_read_and_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let said = read(&path).err().unwrap().to_string();
        assert!(said.starts_with("NATTER_SECRET_FILE") && said.contains("openssl rand -hex 32"), "{said}");
        assert!(!path.exists());
        let made = read_or_make(&path, &SystemEntropy).unwrap();
        assert_eq!(read(&path).unwrap().current().id(), made.current().id());
    }

    #[test]
    fn a_bad_key_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for bad in ["", "abc123", &"ab".repeat(32), "changeme-changeme-changeme-changeme-changeme-changeme-changeme-12"]
        {
            std::fs::write(&path, bad).unwrap();
            let said = read_or_make(&path, &SystemEntropy).unwrap_err().to_string();
            assert!(said.starts_with("NATTER_SECRET_FILE"), "{said}");
            assert!(bad.is_empty() || !said.contains(bad), "{said}");
        }
    }
}
