//! Risk over the turns of a session, as a pure state machine.
