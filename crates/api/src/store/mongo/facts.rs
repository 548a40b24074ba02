//! What judging needs to know.
