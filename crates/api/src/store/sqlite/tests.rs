//! What only this store promises: files.
