use super::*;

#[test]
fn ids_follow_from_entities() {
    for recogniser in recognisers() {
        let entity = recogniser.rule.entity.as_deref().unwrap();
        let id = format!("pii.{}", entity.to_ascii_lowercase().replace('_', "-"));
        assert_eq!(recogniser.rule.id, id);
    }
}
