//! Documents that nobody trusts: no kind of bytes breaks the sanitiser, and places stay in place.

use bartizan_rag::document::{Kind, Limits, sanitise};

/// What one input may cost.
const LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_expanded_bytes: 4 << 20,
    max_depth: 3,
};

/// Pages.
pub fn document_html(data: &[u8]) {
    read(data, Kind::Html);
    read(data, Kind::Markdown);
}

/// Mail.
pub fn document_mail(data: &[u8]) {
    read(data, Kind::Mail);
}

/// Word documents.
pub fn document_docx(data: &[u8]) {
    read(data, Kind::Docx);
}

/// PDF files.
pub fn document_pdf(data: &[u8]) {
    read(data, Kind::Pdf);
}

fn read(data: &[u8], kind: Kind) {
    let Ok(seen) = sanitise(data, kind, &LIMITS) else {
        return;
    };
    let mut last = 0;
    for piece in &seen.pieces {
        // In order, on whole characters, within the text, and of a part that there is.
        assert!(piece.range.start >= last && piece.range.end <= seen.text.len());
        assert!(seen.text.get(piece.range.clone()).is_some());
        assert!(piece.place.part < seen.parts.len());
        last = piece.range.end;
        // What stands there byte for byte does.
        let is_text = matches!(kind, Kind::Html | Kind::Markdown);
        if let Some(span) = piece.place.span.filter(|_| piece.is_exact && is_text)
            && std::str::from_utf8(data).is_ok()
        {
            let there = data.get(span.as_range());
            assert_eq!(there, seen.text.get(piece.range.clone()).map(str::as_bytes));
        }
    }
    for hidden in &seen.hidden {
        assert!(hidden.place.part < seen.parts.len());
        assert!(!hidden.text.trim().is_empty());
    }
    let text: usize = seen.text.len() + seen.hidden.iter().map(|h| h.text.len()).sum::<usize>();
    // Every piece is paid for; a blank between two of one passage is not.
    assert!(text <= 2 * LIMITS.max_expanded_bytes);
}
