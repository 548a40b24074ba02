//! The geometry of charts, without a browser: round axes, places, paths, which times are named, and how numbers are said.
//! Lengths are in tenths of a CSS pixel, so that no number with a point is ever formatted (which is 10 KB of the page).

mod axis;
mod path;
mod say;
mod times;

pub use axis::Axis;
pub use path::{Place, area, bars, line, pixels, slot_at};
pub use say::{number, short, took};
pub use times::{Stamp, named};
