use std::sync::{Arc, OnceLock};

use bartizan_text::{
    PatternsBuilder, Scanner,
    fold::fold_str,
    rules::template_tokens::{TemplateTokens, neutralise},
    views::ViewLimits,
};

use crate::guards;

/// Neutralised text holds no token, not even after folding; what was not removed is still there;
/// what is reported lies in the text.
pub fn template_tokens(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let clean = neutralise(&text);
    let again = neutralise(&clean.text);
    assert!(again.removed.is_empty(), "{:?} has tokens left", clean.text);
    let folded = fold_str(&clean.text);
    let after = neutralise(&folded);
    assert!(after.removed.is_empty(), "{folded:?} folds to a token");
    let mut kept = String::new();
    let mut from = 0;
    for span in &clean.removed {
        let range = span.as_range();
        kept.push_str(
            text.get(from..range.start)
                .expect("in order, on whole characters"),
        );
        kept.push(' ');
        from = range.end;
    }
    kept.push_str(text.get(from..).expect("on a whole character"));
    assert_eq!(kept, clean.text);

    static CHECK: OnceLock<(TemplateTokens, Scanner)> = OnceLock::new();
    let (check, scanner) = CHECK.get_or_init(|| {
        let mut patterns = PatternsBuilder::default();
        let check = TemplateTokens::register(&mut patterns).expect("the patterns are sound");
        let scanner = Scanner::new(Arc::new(patterns.build()), ViewLimits::default());
        (check, scanner)
    });
    guards::report_of(check, scanner, data);
}
