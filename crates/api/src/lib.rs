//! The server of Natter. One way leads through it:
//! edge (`http`, `realtime`) → one `service` call → `store` commits → the service publishes → hub and `bus` → sockets.

pub mod bus;
pub mod clock;
pub mod service;
pub mod store;
