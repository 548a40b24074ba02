//! The setting that says where images lie, or backups: read and checked before anything is opened.

use std::fmt;
use std::path::{Path, PathBuf};

pub const ACCEPTS: &str = "file: and a folder, such as file:./data/files, or a bucket, such as \
    s3://bucket/prefix?region=eu-central-1&endpoint=https://s3.example.org";

/// Signs the calls to a bucket.
#[derive(Clone, PartialEq, Eq)]
pub struct Access {
    pub id: String,
    pub secret: String,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access(..)")
    }
}

/// Where images lie, or backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesPlace {
    Folder(PathBuf),
    S3 {
        bucket: String,
        /// What all names begin with; may be empty.
        prefix: String,
        /// `None`: Amazon's own.
        endpoint: Option<String>,
        region: String,
        access: Access,
    },
}

impl FilesPlace {
    /// Reads the setting; a bucket needs the two lines of the file with its key, which the setting `key_setting` names. The
    /// error is a sentence.
    pub fn parse(value: &str, key_setting: &str, key: impl FnOnce() -> Result<String, String>) -> Result<Self, String> {
        let wrong = || format!("must be {ACCEPTS}");
        if let Some(folder) = value.strip_prefix("file:") {
            let folder = folder.strip_prefix("//").unwrap_or(folder);
            return if folder.is_empty() { Err(wrong()) } else { Ok(Self::Folder(PathBuf::from(folder))) };
        }
        let rest = value.strip_prefix("s3://").ok_or_else(wrong)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let named = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._/".contains(&b));
        if bucket.len() < 3 || !named(bucket) || !named(prefix) {
            return Err(wrong());
        }
        let (mut endpoint, mut region) = (None, "us-east-1".to_owned());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                "endpoint" if value.starts_with("http://") || value.starts_with("https://") => {
                    endpoint = Some(value.into_owned());
                }
                "region" if !value.is_empty() => region = value.into_owned(),
                _ => return Err(wrong()),
            }
        }
        let key = key()?;
        let mut lines = key.lines().map(str::trim).filter(|line| !line.is_empty());
        let (Some(id), Some(secret), None) = (lines.next(), lines.next(), lines.next()) else {
            return Err(format!("needs {key_setting} with two lines: the id of the bucket's key, and the key"));
        };
        let access = Access { id: id.to_owned(), secret: secret.to_owned() };
        let prefix = prefix.trim_matches('/').to_owned();
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix, endpoint, region, access })
    }

    /// Beside a database, or in the folder that one works in.
    pub fn beside(database: Option<&Path>) -> Self {
        let folder = database.and_then(Path::parent).unwrap_or(Path::new("./data"));
        Self::Folder(folder.join("files"))
    }
}

impl fmt::Display for FilesPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::S3 { bucket, prefix, .. } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix, .. } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_key() -> Result<String, String> {
        Err("no key".into())
    }

    #[test]
    fn a_folder_and_a_bucket_are_told_apart() {
        assert_eq!(FilesPlace::parse("file:./pictures", "KEY", no_key), Ok(FilesPlace::Folder("./pictures".into())));
        assert_eq!(
            FilesPlace::parse("file:///srv/pictures", "KEY", no_key),
            Ok(FilesPlace::Folder("/srv/pictures".into()))
        );
        let url = "s3://bucket/some/where/?region=eu-1&endpoint=http%3A%2F%2F127.0.0.1%3A9000";
        let Ok(FilesPlace::S3 { bucket, prefix, endpoint, region, access }) =
            FilesPlace::parse(url, "KEY", || Ok("id\n\nsecret\n".into()))
        else {
            panic!("not read")
        };
        assert_eq!((bucket.as_str(), prefix.as_str(), region.as_str()), ("bucket", "some/where", "eu-1"));
        assert_eq!(endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!((access.id.as_str(), access.secret.as_str()), ("id", "secret"));
        assert_eq!(format!("{access:?}"), "Access(..)");
    }

    #[test]
    fn what_is_neither_is_refused_with_a_sentence() {
        let key = || Ok("id\nsecret".to_owned());
        for bad in ["", "file:", "./pictures", "s3://", "s3://a", "s3://bucket?what=1", "s3://bucket?endpoint=ftp://x"]
        {
            assert!(FilesPlace::parse(bad, "KEY", key).is_err(), "{bad}");
        }
        assert_eq!(FilesPlace::parse("s3://bucket", "KEY", no_key), Err("no key".to_owned()));
        assert!(
            FilesPlace::parse("s3://bucket", "KEY", || Ok("one line".into()))
                .unwrap_err()
                .contains("KEY with two lines")
        );
    }
}
