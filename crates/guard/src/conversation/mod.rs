//! Requests and answers of the wire formats, as parts with an origin each.
