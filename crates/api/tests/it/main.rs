//! Everything that is tested through the product's own edge: one binary, real SQLite, real sockets.

mod architecture;
