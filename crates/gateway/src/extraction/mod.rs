//! Who copies a model: similarity, probing, and pace of queries, with bounded memory per key.
