//! What goes over the sockets of a benchmark: WebSocket framing, and what each server says in its frames. Kept to what is
//! measured: the client must cost far less than the server.

pub mod dialect;
pub mod frame;
