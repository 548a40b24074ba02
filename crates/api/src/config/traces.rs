//! Where traces are sent, and how many of them.

use super::Reader;

/// A collector that takes OTLP over HTTP, and the share of requests that it is told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// With the path that takes traces.
    pub endpoint: String,
    /// From 0 to 1.
    pub sample: f64,
}

impl Traces {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let accepts = "http:// or https:// and a host, without a name or password, such as http://collector:4318";
        let endpoint = reader.read("NATTER_OTLP_ENDPOINT", accepts, |value| parse_endpoint(value).map(Some), None);
        let accepts = "a number from 0 to 1, such as 0.05";
        let share = |value: &str| value.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
        let sample = reader.read("NATTER_OTLP_SAMPLE", accepts, share, 1.0);
        endpoint.map(|endpoint| Self { endpoint, sample })
    }
}

/// The collector's address, with the path that OTLP names if there is none.
fn parse_endpoint(value: &str) -> Option<String> {
    let rest = value.strip_prefix("http://").or_else(|| value.strip_prefix("https://"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let fits = !host.is_empty() && host.bytes().all(is_host) && rest.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| if path.is_empty() { format!("{}/v1/traces", value.trim_end_matches('/')) } else { value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::parse_endpoint;

    #[test]
    fn the_path_of_traces_is_the_usual_one_unless_one_is_given() {
        assert_eq!(parse_endpoint("http://collector:4318").as_deref(), Some("http://collector:4318/v1/traces"));
        assert_eq!(parse_endpoint("https://c.example/").as_deref(), Some("https://c.example/v1/traces"));
        assert_eq!(parse_endpoint("http://[::1]:4318/in/traces").as_deref(), Some("http://[::1]:4318/in/traces"));
        for bad in ["collector:4318", "grpc://collector:4317", "http://", "http://ann:secret@collector", "http://a b"] {
            assert_eq!(parse_endpoint(bad), None, "{bad}");
        }
    }
}
