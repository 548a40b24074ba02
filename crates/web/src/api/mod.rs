//! Talking to the server over REST.
