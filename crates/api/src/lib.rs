//! The server of Natter. One way leads through it:
//! edge (`http`, `realtime`) → one `service` call → `store` commits → the service publishes → hub and `bus` → sockets.

pub mod administer;
pub mod app;
pub mod backup;
pub mod bus;
pub mod clock;
pub mod config;
pub mod files;
pub mod healthcheck;
pub mod http;
pub mod metrics;
pub mod moving;
#[cfg(feature = "planted-bugs")]
mod planted;
pub mod realtime;
#[cfg(test)]
mod scene;
mod secret;
pub mod service;
#[cfg(test)]
mod stage;
pub mod state;
pub mod store;
pub mod telemetry;
