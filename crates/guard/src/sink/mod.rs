//! Hazards of an output for the place where it goes, and encoders for that place.
