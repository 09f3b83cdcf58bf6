//! One request on its way through: read, judged, permitted, asked, guarded, recorded.
