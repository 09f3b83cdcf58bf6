//! What must not leave: canaries, system prompts, protected documents.
