//! The listening socket, the workers behind it, and what a connection may take of their time.

use crate::http::page::Page;
use crate::http::{self, headers};
use crate::realtime::hub::Hub;
use crate::realtime::upgrade::{self, Upgraded};
use crate::state::AppState;
use actix_http::HttpService;
use actix_server::Server;
use actix_service::map_config;
use actix_web::dev::AppConfig;
use actix_web::web::Data;
use actix_web::{middleware, rt};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

/// A request's head must be there within this time.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// A connection without a request is kept for this long.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a peer has to take the last of an answer after which its connection ends.
const HANG_UP: Duration = Duration::from_secs(1);
/// How long requests have to end when the server stops; see `app.rs` for what comes before.
const LAST_REQUESTS_S: u64 = 4;

/// Binds the address.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    // A restarted server gets its address back at once.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4_096)?;
    Ok(socket.into())
}

/// Starts the workers. This is what actix-web's own `HttpServer` does, but for one thing that it has no door to: requests
/// that ask to leave HTTP go to [`upgrade`].
pub fn serve(
    listener: TcpListener,
    workers: usize,
    hub: &Arc<Hub>,
    state: &Data<AppState>,
    page: &Data<Page>,
    upgraded: &Upgraded,
) -> io::Result<Server> {
    let (hub, state, page, upgraded) = (Arc::clone(hub), Data::clone(state), Data::clone(page), upgraded.clone());
    let server = Server::build().workers(workers).shutdown_timeout(LAST_REQUESTS_S).disable_signals();
    let stopping = server.graceful_shutdown_signal();
    let server = server.listen("natter", listener, move || {
        // Called once on each worker's own thread.
        let shard = hub.next_shard();
        rt::spawn(Arc::clone(&shard).run(Arc::clone(&state.clock)));
        let shard = Data::new(shard);
        let app = || {
            let app = actix_web::App::new()
                .app_data(Data::clone(&state))
                .app_data(Data::clone(&page))
                .app_data(Data::clone(&shard))
                .configure(http::configure)
                .wrap(middleware::from_fn(headers::finish));
            map_config(app, |()| AppConfig::default())
        };
        let stopping = stopping.clone();
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_TIME)
            .client_disconnect_timeout(HANG_UP)
            .tcp_nodelay(true)
            .on_connect_ext(|connection: &rt::net::TcpStream, _| {
                // The kernel's own bound; without it, such a peer would hold its connection for a quarter of an hour.
                #[cfg(target_os = "linux")]
                let _ = socket2::SockRef::from(connection).set_tcp_user_timeout(Some(upgrade::UNTAKEN));
            })
            .upgrade(upgrade::factory(app(), upgraded.clone()))
            .finish(app())
            .tcp()
    })?;
    Ok(server.run())
}
