//! What goes to an upstream, and what comes back.

use std::{ops::Range, sync::Arc};

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, StatusCode};

use super::{body::UpstreamBody, route::Target};
use crate::{body, endpoint::Endpoint};

/// A request for an upstream. It is sent only inside a [`Permit`](bartizan_policy::Permit), so that
/// nothing goes out that no policy let through.
#[derive(Clone, Debug)]
pub struct UpstreamRequest {
    /// The route that the client used; the upstream is asked on the same one.
    pub endpoint: Endpoint,
    /// The body as it was let through.
    pub body: Bytes,
    /// Where in the body the JSON string that names the model stands, quotes included. The one
    /// place that is still changed: the upstream's name of the model, from the configuration, is
    /// put there. `None` leaves the body as it is.
    pub model: Option<Range<usize>>,
    /// The name of the model that the client asked for.
    pub model_name: Arc<str>,
    /// The client's headers, of which only those of a fixed list go on; never its credentials.
    pub headers: HeaderMap,
}

impl UpstreamRequest {
    /// The body that names the model as the target does.
    pub(super) fn body_for(&self, target: &Target) -> Bytes {
        let (Some(place), Some(model)) = (&self.model, target.model()) else {
            return self.body.clone();
        };
        let (Some(before), Some(after)) =
            (self.body.get(..place.start), self.body.get(place.end..))
        else {
            return self.body.clone();
        };
        let name = serde_json::Value::from(&**model).to_string();
        let mut body = BytesMut::with_capacity(before.len() + name.len() + after.len());
        body.put_slice(before);
        body.put_slice(name.as_bytes());
        body.put_slice(after);
        body.freeze()
    }
}

/// The head of an answer, of a status below 300, and its body as it comes.
#[derive(Debug)]
pub struct UpstreamResponse {
    /// Its status, 200 to 299.
    pub status: StatusCode,
    /// Those of its headers that may go to a client.
    pub headers: HeaderMap,
    /// Its body, under limits.
    pub body: UpstreamBody,
    /// Who answered.
    pub target: Arc<Target>,
    /// Requests that were sent or tried to be sent, this one included.
    pub attempts: u32,
}

impl UpstreamResponse {
    /// Whether it is a stream of events.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        body::is_of_type(&self.headers, body::EVENT_STREAM)
    }

    /// Whether it is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        body::is_of_type(&self.headers, "application/json")
    }
}
