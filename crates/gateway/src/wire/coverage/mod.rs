//! Where text stands in the formats, and what is done with each place: the coverage contract.
