//! What the page's files are called and vouched for by: both follow from the content, so that browsers may keep a file for
//! ever and take no other in its place.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha384};

/// The digits in a name, over everything that the file is made of. The server knows names with them
/// (crates/api/src/http/page.rs).
pub fn mark<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut all = Sha256::new();
    for content in contents {
        all.update(content);
    }
    let mark = all.finalize().iter().take(8).fold(0, |mark, byte| mark << 8 | u64::from(*byte));
    format!("{mark:016x}")
}

/// The value of an `integrity` attribute.
pub fn integrity(content: &[u8]) -> String {
    format!("sha384-{}", STANDARD.encode(Sha384::digest(content)))
}
