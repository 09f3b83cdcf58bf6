//! The gateway's part of `bartizan.yaml`: as written, then checked.
