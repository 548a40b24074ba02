//! The listener of the numbers: one path, no login, nothing else. It is for a network that only Prometheus is on, and is never
//! the listener that people reach.

use crate::metrics::{CONTENT_TYPE, Registry};
use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

pub const PATH: &str = "/metrics";

/// Scrapers at once.
const CONNECTIONS: usize = 32;
/// A request's head must be there within this time.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// A connection without a request is kept for this long: longer than the usual time between two scrapes.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Answers scrapes on a thread of its own.
pub fn serve(listener: TcpListener, registry: Registry) -> io::Result<Server> {
    let registry = Data::from(Arc::new(registry));
    let app = move || {
        App::new()
            .app_data(Data::clone(&registry))
            .route(PATH, web::get().to(scrape))
            .default_service(web::to(|| std::future::ready(HttpResponse::NotFound().finish())))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(CONNECTIONS)
        .client_request_timeout(HEAD_TIME)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

async fn scrape(registry: Data<Registry>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, CONTENT_TYPE))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(registry.text())
}
