//! A moment in UTC to the millisecond, as the wire spells it: `2026-11-21T09:03:00.000Z`. For display, never for order.

use serde::{Deserialize, Serialize};
use std::fmt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Timestamp(i64);

/// The milliseconds of 9999-12-31T23:59:59.999Z, the last moment RFC 3339 can spell.
const LAST: i64 = 253_402_300_799_999;

impl Timestamp {
    /// A moment from milliseconds since 1970, held within the years 1970 to 9999.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, LAST))
    }

    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This moment moved by so many milliseconds (negative: earlier).
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }

    fn date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.date_time();
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for Timestamp {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let t = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| "not an RFC 3339 time")?;
        let millis = i64::try_from(t.unix_timestamp_nanos() / 1_000_000).map_err(|_| "not an RFC 3339 time")?;
        Ok(Self::from_millis(millis))
    }
}

impl From<Timestamp> for String {
    fn from(t: Timestamp) -> Self {
        t.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_there_and_back() {
        for text in ["1970-01-01T00:00:00.000Z", "2026-11-21T09:03:00.042Z", "9999-12-31T23:59:59.999Z"] {
            let t = Timestamp::try_from(text.to_owned()).unwrap();
            assert_eq!(t.to_string(), text);
        }
        assert!(Timestamp::try_from("yesterday".to_owned()).is_err());
    }
}
