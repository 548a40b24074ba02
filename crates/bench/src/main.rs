//! The benchmarks: ratios against floors and a peer, in one run.

fn main() {}
