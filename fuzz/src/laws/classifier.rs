use bartizan_classify::Model;

/// Weights: any bytes are refused or give a model that scores texts; the same holds for bytes with a
/// sound beginning. The embedded model scores any text, the same twice, at places inside it.
pub fn classifier(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(model) = Model::load(data.to_vec()) {
        let _ = model.scores(&text);
    }
    let mut dressed = b"BZTCLASS\x01\0\0\0".to_vec();
    dressed.extend(data);
    if let Ok(model) = Model::load(dressed) {
        let _ = model.scores(&text);
    }
    let model = Model::embedded().expect("the embedded weights are sound");
    let scores = model.scores(&text);
    assert!(text.get(scores.span.clone()).is_some(), "{:?}", scores.span);
    assert_eq!(scores, model.scores(&text));
}
