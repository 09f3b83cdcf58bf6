//! Behaviour at the module's edge.
