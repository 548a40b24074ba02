//! Brotli and gzip beside every file of a folder, at the highest level: paid once here, saved on every visit.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fingerprint;

/// 4 MiB: as much as the page has, and what every browser takes.
const BROTLI_WINDOW: i32 = 22;
const BROTLI_QUALITY: i32 = 11;

/// How large a folder is, in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    pub plain: u64,
    pub brotli: u64,
    pub gzip: u64,
    /// Each file with its size as brotli.
    pub files: Vec<(String, u64)>,
}

/// Writes `<file>.br` and `<file>.gz` beside each file of `folder`.
pub fn folder(folder: &Path) -> Result<Sizes> {
    let files = fingerprint::files(folder)?;
    let both = thread::scope(|scope| {
        let gzip = scope.spawn(|| files.iter().try_fold(0, |sum, file| Ok(sum + gzip(file)?)));
        let brotli: Result<Vec<u64>> = files.iter().map(|file| brotli(file)).collect();
        let gzip: Result<u64> = gzip.join().unwrap_or_else(|_| anyhow::bail!("gzip panicked"));
        Ok::<_, anyhow::Error>((brotli?, gzip?))
    });
    let (each, gzip) = both?;
    let plain = files.iter().map(|file| Ok(fs::metadata(file)?.len())).sum::<Result<u64>>()?;
    let brotli = each.iter().sum();
    let name = |file: &PathBuf| file.strip_prefix(folder).unwrap_or(file).display().to_string();
    Ok(Sizes { plain, brotli, gzip, files: files.iter().map(name).zip(each).collect() })
}

fn brotli(file: &Path) -> Result<u64> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        ..brotli::enc::BrotliEncoderParams::default()
    };
    beside(file, "br", |bytes, out| {
        brotli::BrotliCompress(&mut &*bytes, out, &params)?;
        Ok(())
    })
}

fn gzip(file: &Path) -> Result<u64> {
    beside(file, "gz", |bytes, out| {
        let mut encoder = GzEncoder::new(out, Compression::best());
        encoder.write_all(bytes)?;
        encoder.finish()?;
        Ok(())
    })
}

fn beside(
    file: &Path,
    ending: &str,
    encode: impl Fn(&[u8], &mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<u64> {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    let target = PathBuf::from(name);
    let written = || -> std::io::Result<u64> {
        let bytes = fs::read(file)?;
        let mut out = BufWriter::new(File::create(&target)?);
        encode(&bytes, &mut out)?;
        out.flush()?;
        Ok(fs::metadata(&target)?.len())
    };
    written().with_context(|| format!("cannot write {}", target.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn every_file_gets_both_and_both_give_it_back() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("locales")).unwrap();
        let text = "to be compressed, ".repeat(1000);
        for name in ["index.html", "locales/en.json"] {
            fs::write(folder.path().join(name), &text).unwrap();
        }
        let sizes = super::folder(folder.path()).unwrap();
        assert_eq!(sizes.plain, 2 * text.len() as u64);
        assert!(sizes.brotli < sizes.gzip && sizes.gzip < sizes.plain, "{sizes:?}");
        for name in ["index.html", "locales/en.json"] {
            let open = |ending| File::open(folder.path().join(format!("{name}.{ending}"))).unwrap();
            let mut plain = String::new();
            brotli::Decompressor::new(open("br"), 4096).read_to_string(&mut plain).unwrap();
            assert_eq!(plain, text);
            plain.clear();
            flate2::read::GzDecoder::new(open("gz")).read_to_string(&mut plain).unwrap();
            assert_eq!(plain, text);
        }
    }
}
