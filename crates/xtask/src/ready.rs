//! Ports of this machine: whether one is free, and when the server on it answers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::process::{Event, Running};
use crate::progress::{Stopwatch, in_words};

/// How long a server may take from its start to its first answer; a large database has migrations to do.
const START: Duration = Duration::from_mins(1);
/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(2);

/// An error if something listens on `port` of 127.0.0.1, with the `option` that chooses another.
pub fn port_is_free(port: u16, option: &str) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => {
            bail!("port {port} of 127.0.0.1 is in use: stop what listens there{option}")
        }
        Err(e) => bail!("port {port} of 127.0.0.1 cannot be used: {e}"),
    }
}

/// Waits until `server` answers GET /health/ready with 200, and hands on the lines of one whose output is piped. An error
/// if it ends before or needs longer than a minute.
pub fn until_ready(server: &mut Running, port: u16, said: impl Fn(&str)) -> Result<()> {
    let since = Stopwatch::start();
    while !is_ready(port) {
        match server.next(ASK_EVERY) {
            Some(Event::Ended(status)) => {
                for event in server.last_words() {
                    if let Event::Out(line) | Event::Err(line) = event {
                        said(&line);
                    }
                }
                bail!("natter ended before it was ready ({status}); it says why above");
            }
            Some(Event::Out(line) | Event::Err(line)) => said(&line),
            None => {}
        }
        if since.elapsed() > START {
            bail!("natter was not ready within {}", in_words(START));
        }
    }
    Ok(())
}

fn is_ready(port: u16) -> bool {
    ask(port).is_ok_and(|status_line| status_line == *b"HTTP/1.1 200")
}

fn ask(port: u16) -> std::io::Result<[u8; 12]> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ANSWER)?;
    stream.set_read_timeout(Some(ANSWER))?;
    let request = format!("GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut status_line = [0; 12];
    stream.read_exact(&mut status_line)?;
    Ok(status_line)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    #[test]
    fn a_busy_port_is_named_with_the_way_out() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let failure = port_is_free(port, ", or choose another with --port").unwrap_err().to_string();
        assert!(failure.contains(&port.to_string()) && failure.ends_with("--port"), "{failure}");
        drop(listener);
        port_is_free(port, "").unwrap();
    }

    #[test]
    fn only_200_is_ready() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            for answer in ["HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(&stream).lines().map(Result::unwrap);
                assert_eq!(lines.next().unwrap(), "GET /health/ready HTTP/1.1");
                assert!(lines.any(|line| line.is_empty()));
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert!(!is_ready(port));
        assert!(is_ready(port));
        server.join().unwrap();
    }
}
