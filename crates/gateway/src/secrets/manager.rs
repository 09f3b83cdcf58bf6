use std::net::IpAddr;

use http::Uri;

use super::SecretRef;

/// What is wrong with the address of a secret manager, at the key `at`: a credential goes there.
pub(super) fn check_address(at: &str, address: &str, say: &mut dyn FnMut(&str, String)) {
    if !is_private_way(address) {
        let what = "must be `https://`, or `http://` on this machine";
        say(at, what.to_owned());
    }
}

/// What is wrong with the place of a manager's credential: a manager cannot keep its own.
pub(super) fn check_credential(at: &str, reference: &SecretRef, say: &mut dyn FnMut(&str, String)) {
    if !reference.is_local() {
        say(at, "takes `env:NAME` or `file:/path`".to_owned());
    }
}

/// Whether nobody between can read what is sent there. The host decides, not how the text begins.
fn is_private_way(address: &str) -> bool {
    let Ok(uri) = address.parse::<Uri>() else {
        return false;
    };
    let plain = uri.authority().is_some_and(|a| !a.as_str().contains('@'));
    let Some(host) = uri.host().filter(|host| plain && !host.is_empty()) else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = || bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => is_here(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_private_way;

    #[test]
    fn only_this_machine_is_asked_in_plain_text() {
        for address in [
            "https://vault.internal:8200",
            "http://127.0.0.1:8200",
            "http://localhost",
            "http://[::1]:8200/",
        ] {
            assert!(is_private_way(address), "{address}");
        }
        for address in [
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example:8200",
            "http://localhost@evil.example",
            "https://user@vault.internal",
            "http://vault.internal",
            "ftp://127.0.0.1",
            "https://",
            "vault.internal",
        ] {
            assert!(!is_private_way(address), "{address}");
        }
    }
}
