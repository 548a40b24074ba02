//! The floor of a durable write: batches of entries appended to a file, each followed by a sync of its data.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::Instant;

use super::on_core;
use crate::statistics::figure;

/// Bytes of one entry: a text of a hundred characters, its ids, and what says where they are.
const ENTRY: usize = 200;

/// Entries a second, in batches of `batch`.
pub async fn entries_a_second(folder: &Path, batch: usize, window: Duration, core: usize) -> Result<f64> {
    let path = folder.join("append");
    on_core(core, move || {
        let measured = append(&path, batch, window).with_context(|| format!("cannot append to {}", path.display()));
        let _ = std::fs::remove_file(&path);
        measured
    })
    .await
}

fn append(path: &Path, batch: usize, window: Duration) -> Result<f64> {
    let bytes = vec![b'x'; batch * ENTRY];
    let mut file = File::create(path)?;
    let mut entries = 0;
    let since = Instant::now();
    while since.elapsed() < window {
        file.write_all(&bytes)?;
        file.sync_data()?;
        entries += batch as u64;
    }
    Ok(figure(entries) / since.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_batch_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("append");
        assert!(append(&path, 8, Duration::from_millis(20)).unwrap() > 0.0);
        let length = std::fs::metadata(&path).unwrap().len();
        assert!(length > 0 && length.is_multiple_of(8 * ENTRY as u64), "{length}");
    }
}
