//! Names and places, by an embedded tagger.
