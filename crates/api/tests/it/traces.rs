//! Traces, as a collector gets them: a listener of the test's own, which speaks HTTP and reads the protobuf.

use crate::binary::{Running, natter};
use crate::support::{PATIENCE, Person, Socket, client_id};
use natter_shared::path;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Listens until the test's process ends; returns where.
    fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let collector = self.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let collector = collector.clone();
                std::thread::spawn(move || collector.serve(connection));
            }
        });
        format!("http://{address}")
    }

    fn serve(&self, mut connection: TcpStream) {
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        loop {
            let (mut length, mut head) = (0, Vec::new());
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                let line = line.trim_end().to_ascii_lowercase();
                if line.is_empty() {
                    break;
                }
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                head.push(line);
            }
            assert!(head[0].starts_with("post /v1/traces "), "{head:?}");
            assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            self.0.lock().unwrap().push(ExportTraceServiceRequest::decode(&body[..]).unwrap());
            connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        }
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let scopes = requests.iter().flat_map(|request| &request.resource_spans).flat_map(|of| &of.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// Names of whoever sent something.
    fn services(&self) -> Vec<String> {
        let requests = self.0.lock().unwrap();
        let resources =
            requests.iter().flat_map(|request| &request.resource_spans).filter_map(|of| of.resource.as_ref());
        resources.filter_map(|resource| text(&resource.attributes, "service.name")).collect()
    }
}

fn attribute<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a any_value::Value> {
    attributes.iter().find(|pair| pair.key == key)?.value.as_ref()?.value.as_ref()
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    match attribute(attributes, key)? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

fn number(span: &Span, key: &str) -> Option<i64> {
    match attribute(&span.attributes, key)? {
        any_value::Value::IntValue(number) => Some(*number),
        _ => None,
    }
}

fn traced(collector: &str, sample: &str) -> (Running, TempDir) {
    let data = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", data.path().join("natter.db").display());
    let mut command = natter(&[
        ("NATTER_STORE", &store),
        ("NATTER_LISTEN", "127.0.0.1:0"),
        ("NATTER_BCRYPT_COST", "4"),
        ("NATTER_RATE_LIMITS", "off"),
        ("NATTER_OTLP_ENDPOINT", collector),
        ("NATTER_OTLP_SAMPLE", sample),
    ]);
    (Running::of(command.stderr(Stdio::null())), data)
}

#[tokio::test]
async fn a_request_and_a_frame_are_traced_down_to_the_store_and_the_last_are_sent_at_the_end() {
    let collector = Collector::default();
    let (mut running, _data) = traced(&collector.start(), "1");
    let ann = Person::register_at(running.address.parse().unwrap(), "ann").await;
    let room = ann.makes_room("garden", "public").await.id;
    let mut socket = Socket::open(&ann, None).await;
    socket.sends(room, client_id(), "a text that is nobody's business").await;
    socket.sees("a text that is nobody's business").await;
    drop(socket);
    let sent = ann.tries_to_say(room, client_id(), "another text of that kind").await.expect(201);
    // At once: nothing of this waits for the usual pause.
    running.stop();

    let spans = collector.spans();
    let id = sent.headers["x-request-id"].to_str().unwrap();
    let request = spans.iter().find(|span| text(&span.attributes, "request_id").as_deref() == Some(id));
    let request = request.unwrap_or_else(|| panic!("{id} is not in {spans:?}"));
    assert_eq!((request.name.as_str(), request.parent_span_id.len()), ("request", 0));
    assert_eq!(text(&request.attributes, "http.route").as_deref(), Some(path::MESSAGES));
    assert_eq!(number(request, "http.response.status_code"), Some(201));
    assert!(request.end_time_unix_nano > request.start_time_unix_nano);

    let below = |top: &Span, name: &str| {
        let mut found = spans.iter().filter(|span| span.trace_id == top.trace_id && span.name == name);
        found.next().cloned().unwrap_or_else(|| panic!("no {name} below {top:?}"))
    };
    let commit = below(request, "commit");
    assert_eq!(commit.parent_span_id, request.span_id);
    let append = spans.iter().find(|span| span.parent_span_id == commit.span_id).unwrap();
    assert_eq!((append.name.as_str(), text(&append.attributes, "operation").as_deref()), ("store", Some("append")));
    let frame = spans.iter().find(|span| text(&span.attributes, "frame").as_deref() == Some("send")).unwrap();
    assert_eq!(frame.parent_span_id.len(), 0, "a frame begins a trace");
    below(frame, "commit");

    assert!(collector.services().iter().all(|name| name == "natter") && !collector.services().is_empty());
    let all = format!("{spans:?}");
    for secret in ["nobody's business", "another text", crate::support::PASSWORD, &ann.token] {
        assert!(!all.contains(secret), "{secret} is in a trace");
    }
}

#[tokio::test]
async fn what_is_not_sampled_is_not_sent_and_a_collector_that_is_away_holds_nothing_up() {
    let collector = Collector::default();
    let (mut running, _data) = traced(&collector.start(), "0");
    Person::register_at(running.address.parse().unwrap(), "ann").await;
    running.stop();
    assert_eq!(collector.spans(), []);

    // Nobody listens there any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut running, _data) = traced(&format!("http://{gone}"), "1");
    let ann = Person::register_at(running.address.parse().unwrap(), "ann").await;
    ann.makes_room("garden", "public").await;
    let begun = tokio::time::Instant::now();
    running.stop();
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}
