//! The guard alone, over HTTP: our own route and the shapes of others, so that migration is a URL change.
