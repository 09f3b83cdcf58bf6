//! Keys of upstreams and of the gateway, sealed at rest.
