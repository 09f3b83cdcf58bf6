//! National identifiers with their checks, one file per region.
