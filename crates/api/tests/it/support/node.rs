//! One node of a server: the real app on a free port, on a thread of its own. Dropping it stops it.

use super::PATIENCE;
use natter_api::app::{App, Handle};
use natter_api::clock::{Clock, SystemEntropy};
use natter_api::config::Config;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

pub struct Node {
    pub address: SocketAddr,
    /// Where Prometheus would ask, if the settings say so.
    pub metrics: Option<SocketAddr>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Node {
    /// Waits until it listens.
    pub fn start(settings: Vec<(String, String)>, clock: Arc<dyn Clock>) -> Self {
        let (send, receive) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let config = Config::from_variables(settings).unwrap();
                let app = App::build(config, clock, Arc::new(SystemEntropy)).await.unwrap();
                send.send((app.address(), app.metrics_address(), app.handle())).unwrap();
                app.run_until_stopped().await.unwrap();
            });
        });
        let (address, metrics, handle) = receive.recv_timeout(PATIENCE).expect("the server starts");
        Self { address, metrics, handle, thread: Some(thread) }
    }

    pub fn ask_to_stop(&self) {
        self.handle.stop();
    }

    /// Stops it; a panic in it is a failure of the test.
    pub fn stop(mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server stops without a panic");
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.ask_to_stop();
            let _ = thread.join();
        }
    }
}
