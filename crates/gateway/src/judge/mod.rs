//! Asks a model whether a text is an attack, in the grey band only.
