//! Folds text so that ASCII patterns see what a reader sees.
