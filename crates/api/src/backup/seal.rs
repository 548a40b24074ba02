//! Who can read a backup: public keys to encrypt to, and the identities that decrypt. The format is age's, so that the tools
//! of that name open a backup too.

use age::secrecy::ExposeSecret as _;
use age::x25519::{Identity, Recipient};
use natter_shared::timestamp::Timestamp;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

/// Public keys; none if whoever has a backup may read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recipients(Vec<Recipient>);

impl Recipients {
    /// Reads public keys between commas or spaces.
    pub fn parse(text: &str) -> Option<Self> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        words.map(|word| word.parse().ok()).collect::<Option<Vec<_>>>().map(Self)
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &dyn age::Recipient> {
        self.0.iter().map(|recipient| recipient as &dyn age::Recipient)
    }
}

/// Keys that decrypt.
#[derive(Clone)]
pub struct Identities(Vec<Identity>);

impl Identities {
    /// Reads a file as `natter backup keygen` and age-keygen write it. The error is the end of a sentence about it, and
    /// repeats nothing of what stands in it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|why| format!("cannot be read: {why}"))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Result<Vec<Identity>, _> = lines.map(str::parse).collect();
        match keys {
            Ok(keys) if !keys.is_empty() => Ok(Self(keys)),
            _ => Err("holds no key as `natter backup keygen` makes it (a line AGE-SECRET-KEY-1…)".to_owned()),
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &dyn age::Identity> {
        self.0.iter().map(|identity| identity as &dyn age::Identity)
    }
}

/// Makes a key in a new file that its owner alone can read. Returns the public one, to encrypt to. The library takes its
/// randomness from the operating system itself.
pub fn keygen(path: &Path, now: Timestamp) -> io::Result<String> {
    let identity = Identity::generate();
    let public = identity.to_public().to_string();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let secret = identity.to_string();
    write!(file, "# created: {now}\n# public key: {public}\n{}\n", secret.expose_secret())?;
    file.sync_all()?;
    Ok(public)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.key");
        let public = keygen(&path, Timestamp::from_millis(0)).unwrap();
        let recipients = Recipients::parse(&public).unwrap();
        let identities = Identities::read(&path).unwrap();
        assert_eq!(recipients.0, [identities.0[0].to_public()]);
        assert_eq!(keygen(&path, Timestamp::from_millis(0)).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let both = format!("{public}, {}", identities.0[0].to_public());
        assert_eq!(Recipients::parse(&both).unwrap().0.len(), 2);
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(Identities::read(&path).err().unwrap().contains("cannot be read"));
        for bad in ["", "# nothing\n", "hunter22\n"] {
            std::fs::write(&path, bad).unwrap();
            let said = Identities::read(&path).err().unwrap();
            assert!(said.contains("holds no key") && !said.contains("hunter22"), "{said}");
        }
        for bad in ["age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQ"] {
            assert_eq!(Recipients::parse(bad), None, "{bad}");
        }
    }
}
