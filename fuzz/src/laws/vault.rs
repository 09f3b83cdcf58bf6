use bartizan_guard::redact::{Keys, Restorer, Vault};

use crate::input::Input;

/// The vault: whatever is opened is refused or whole; tokens lead back to their values; a stream is
/// restored like the whole; erased values stay erased. The first line is a stored vault or a value.
pub fn vault(data: &[u8]) {
    let keys = Keys::new([7; 32]);
    let mut input = Input::new(data);
    let cut = usize::from(input.byte());
    let first = input.line();
    if let Ok(opened) = Vault::open(&keys, first) {
        let stored = opened.store().expect("a vault can be stored");
        let again = Vault::open(&keys, &stored).expect("what was stored can be opened");
        assert_eq!(again.len(), opened.len());
    }
    let (value, text) = (
        String::from_utf8_lossy(first).into_owned(),
        String::from_utf8_lossy(input.rest()).into_owned(),
    );
    let mut vault = Vault::new(&keys, "session");
    let token = vault.token("EMAIL_ADDRESS", &value);
    let other = vault.token("PERSON", &text);
    assert_eq!(vault.token("EMAIL_ADDRESS", &value), token);
    assert_eq!(vault.restore(&token), value);
    let said = format!("{text}{token}{text}{other}");
    let whole = vault.restore(&said);
    assert!(whole.contains(&value));
    let cut = (0..=cut.min(said.len()))
        .rev()
        .find(|&at| said.is_char_boundary(at))
        .unwrap_or(0);
    let mut restorer = Restorer::new(&vault);
    let (start, end) = said.split_at(cut);
    let mut streamed = restorer.push(start);
    for c in end.chars() {
        streamed.push_str(&restorer.push(c.encode_utf8(&mut [0; 4])));
    }
    streamed.push_str(&restorer.finish());
    assert_eq!(streamed, whole);

    let mut stored = vault.store().expect("a vault can be stored");
    let opened = Vault::open(&keys, &stored).expect("what was stored can be opened");
    assert_eq!(opened.restore(&token), value);
    assert!(Vault::open(&Keys::new([8; 32]), &stored).is_err());
    if let Some(byte) = stored.get_mut(cut) {
        *byte ^= 1;
        // Changed storage is refused, or means the same, or less.
        if let Ok(changed) = Vault::open(&keys, &stored) {
            let restored = changed.restore(&token);
            assert!(
                restored == value || restored == token,
                "an altered value came out"
            );
        }
    }
    assert!(vault.erase("EMAIL_ADDRESS", &value));
    assert_eq!(vault.restore(&token), token);
    assert_ne!(vault.token("EMAIL_ADDRESS", &value), token);
}
