use http::HeaderMap;

/// Where a request stands in a trace, see W3C Trace Context, section 3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace.
    pub trace_id: [u8; 16],
    /// The request's span.
    pub span_id: [u8; 8],
    /// The span of the call to the upstream, below the request's.
    pub upstream_span_id: [u8; 8],
    /// The caller's span.
    pub parent: Option<[u8; 8]>,
    /// Whether spans are exported.
    pub sampled: bool,
}

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";

impl TraceContext {
    /// Goes on with the caller's trace, or begins one, of which a share of `sample_ratio` is
    /// sampled. A caller's decision is kept.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, sample_ratio: f64) -> Self {
        let mut random = [0; 32];
        // Without random bytes there is no trace: an id of zeros is invalid.
        let _ = getrandom::fill(&mut random);
        let [trace, spans] = random.as_chunks::<16>().0 else {
            return Self::none();
        };
        let [span_id, upstream_span_id] = spans.as_chunks::<8>().0 else {
            return Self::none();
        };
        // More than one header is as none.
        let mut given = headers.get_all(TRACEPARENT).iter();
        let caller = match (given.next(), given.next()) {
            (Some(value), None) => parse(value.as_bytes()),
            _ => None,
        };
        let (trace_id, parent, sampled) = match caller {
            Some((trace_id, parent, sampled)) => (trace_id, Some(parent), sampled),
            None => (*trace, None, is_sampled(*trace, sample_ratio)),
        };
        Self {
            trace_id,
            span_id: *span_id,
            upstream_span_id: *upstream_span_id,
            parent,
            sampled: sampled && trace_id != [0; 16],
        }
    }

    const fn none() -> Self {
        Self {
            trace_id: [0; 16],
            span_id: [0; 8],
            upstream_span_id: [0; 8],
            parent: None,
            sampled: false,
        }
    }

    /// The header for the upstream; `None` without a trace.
    #[must_use]
    pub fn traceparent(&self) -> Option<String> {
        if self.trace_id == [0; 16] {
            return None;
        }
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        Some(format!(
            "00-{}-{}-{:02x}",
            hex(&self.trace_id),
            hex(&self.upstream_span_id),
            u8::from(self.sampled)
        ))
    }
}

/// OpenTelemetry's `TraceIdRatioBased`: the lower 8 bytes of the trace id against the ratio, so
/// that all parts of a trace decide alike.
fn is_sampled(trace_id: [u8; 16], ratio: f64) -> bool {
    if ratio >= 1.0 {
        return true;
    }
    let low = trace_id.last_chunk::<8>().copied().unwrap_or_default();
    let place = (u64::from_be_bytes(low) >> 1) as f64;
    place < ratio * (1_u64 << 63) as f64
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, and higher versions with more behind it.
fn parse(value: &[u8]) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = value.split(|&byte| byte == b'-');
    let [version] = hex(parts.next()?)?;
    let trace_id: [u8; 16] = hex(parts.next()?)?;
    let parent: [u8; 8] = hex(parts.next()?)?;
    let [flags] = hex(parts.next()?)?;
    let more = parts.next().is_some();
    if version == 0xff || (version == 0 && more) || trace_id == [0; 16] || parent == [0; 8] {
        return None;
    }
    Some((trace_id, parent, flags & 1 == 1))
}

fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let mut bytes = [0; N];
    if pairs.len() != N {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(value: &str) -> TraceContext {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, value.parse().unwrap());
        TraceContext::from_headers(&headers, 1.0)
    }

    #[test]
    fn continues_the_callers_trace() {
        let context = context("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        assert_eq!(
            context.parent,
            Some([0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31])
        );
        let next = context.traceparent().unwrap();
        assert!(next.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        assert!(next.ends_with("-01") && !next.contains("b7ad6b7169203331"));
    }

    #[test]
    fn begins_anew_where_the_header_is_bad() {
        for bad in [
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "x",
        ] {
            assert_eq!(context(bad).parent, None, "{bad}");
        }
    }

    #[test]
    fn samples_the_share_that_was_asked_for() {
        let count = (0..2_000)
            .filter(|_| TraceContext::from_headers(&HeaderMap::new(), 0.25).sampled)
            .count();
        assert!((350..650).contains(&count), "{count}");
        assert!(!TraceContext::from_headers(&HeaderMap::new(), 0.0).sampled);
    }
}
