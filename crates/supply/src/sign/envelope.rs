use super::python;

/// The payload type of in-toto statements (in-toto attestation framework 1.0, "Envelope").
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A payload with signatures over it (DSSE 1.0).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The bytes that were signed, as received.
    pub payload: Vec<u8>,
    /// What they are.
    pub payload_type: String,
    /// Who signed: one signature for bundles of version 0.3.
    pub signature: Vec<u8>,
}

/// What a signature is made over (DSSE 1.0, "Signature Definition", PAE).
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    message.extend_from_slice(payload);
    message
}

/// What model signing signed before 1.0, by mistake: a capital V, and the payload as Python prints
/// bytes (`pae_compat` of the reference implementation).
pub(super) fn old_pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    format!(
        "DSSEV1 {} {payload_type} {} {}",
        payload_type.len(),
        payload.len(),
        python::repr(payload)
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DSSE 1.0, "Test Vectors".
    #[test]
    fn the_published_vector() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    /// What the reference implementation prints for this payload.
    #[test]
    fn the_old_form_is_that_of_python() {
        assert_eq!(
            old_pae(IN_TOTO, b"{\n}"),
            b"DSSEV1 28 application/vnd.in-toto+json 3 b'{\\n}'"
        );
    }
}
