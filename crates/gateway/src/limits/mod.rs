//! Requests, tokens, and money per key, team, and model.
