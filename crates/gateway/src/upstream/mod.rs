//! The models behind the gateway: connections, retries, breakers, fallbacks.
