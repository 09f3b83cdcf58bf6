//! Listeners, TLS, routes, and a quiet end.
