//! End-to-end measurements, beside peers on the same work in the same run.

fn main() {}
