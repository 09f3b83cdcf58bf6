//! What is in a folder.
