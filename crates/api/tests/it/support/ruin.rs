//! What is left of a server whose database and images were lost: its settings and its signing key.

use super::Server;
use super::backend::Place;
use std::process::Output;
use std::sync::Arc;

pub struct Ruin {
    settings: Vec<(String, String)>,
    place: Arc<Place>,
}

impl Ruin {
    pub(super) const fn new(settings: Vec<(String, String)>, place: Arc<Place>) -> Self {
        Self { settings, place }
    }

    /// Runs the program at the machine with the settings of the server and further ones, to its end.
    pub fn orders(&self, arguments: &[&str], further: &[(&str, &str)]) -> Output {
        self.place.orders(arguments, further)
    }

    /// Starts the server again on what is there by now.
    pub fn starts(self) -> Server {
        Server::launch(self.settings, self.place)
    }
}
