//! Everything that is tested through the product's own edge: one binary, real SQLite, real sockets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod access;
mod admin;
mod architecture;
mod auth;
mod backup;
mod binary;
mod deletion;
mod documents;
mod edge;
mod elsewhere;
mod event_stream;
mod files;
mod guests;
mod headers;
mod hostile;
mod integrations;
mod logs;
mod mentions;
mod messages;
mod metrics;
mod moving;
mod rooms;
mod socket;
mod supervised;
mod support;
mod traces;
mod upgrade;
