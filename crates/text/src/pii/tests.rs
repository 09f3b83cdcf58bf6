//! Behaviour at the module's edge.

use proptest::prelude::*;

use super::*;

/// `expected` is what stays after overlaps are resolved, as `entity=value`.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    check_with(&Pii::default(), text, expected);
}

#[track_caller]
fn check_with(pii: &Pii, text: &str, expected: &[&str]) {
    let mut matches = Vec::new();
    pii.find(text, &mut matches);
    let found: Vec<String> = resolve(matches)
        .into_iter()
        .map(|found| {
            format!(
                "{}={}",
                found.rule.entity.as_deref().unwrap(),
                text.get(found.range).unwrap()
            )
        })
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn ws_01_email_takes_no_pipe() {
    check("a@b.example|d|e next", &["EMAIL_ADDRESS=a@b.example"]);
}

#[test]
fn ws_02_phone_pattern() {
    check("call (415) 555-2671 now", &["PHONE_NUMBER=(415) 555-2671"]);
    check("call 415 555 2671 now", &["PHONE_NUMBER=415 555 2671"]);
    check(
        "call +44 20 7946 0958 now",
        &["PHONE_NUMBER=+44 20 7946 0958"],
    );
    check("order 1234567890", &[]);
    check("epoch 1700000000", &[]);
}

#[test]
fn ws_03_cards_need_a_checksum_and_may_be_spaced() {
    check("card 1234567812345678", &[]);
    check("3782 822463 10005", &["CREDIT_CARD=3782 822463 10005"]);
    check("4111-1111-1111-1111", &["CREDIT_CARD=4111-1111-1111-1111"]);
}

#[test]
fn ws_04_ssn() {
    check("my SSN is 219 09 9998", &["US_SSN=219 09 9998"]);
    check("SSN: 219099998", &["US_SSN=219099998"]);
    check("SSN 000-00-0000", &[]);
}

#[test]
fn ws_05_ip() {
    check("host 999.999.999.999 up", &[]);
    check(
        "host 2001:db8::ff00:42:8329 up",
        &["IP_ADDRESS=2001:db8::ff00:42:8329"],
    );
}

#[test]
fn ws_06_email_reach() {
    check(
        "jane at example dot com",
        &["EMAIL_ADDRESS=jane at example dot com"],
    );
    check(
        "write to jane [at] example [dot] org today",
        &["EMAIL_ADDRESS=jane [at] example [dot] org"],
    );
    check(
        "jane.doe (at) mail.example.com",
        &["EMAIL_ADDRESS=jane.doe (at) mail.example.com"],
    );
    check("unicode@exemple.de", &["EMAIL_ADDRESS=unicode@exemple.de"]);
    check("look at the red dot on the map", &[]);
    check("meet me at noon dot", &[]);
}

#[test]
fn ws_07_matches_carry_offsets_of_one_text() {
    let text = "a@b.example and 219-09-9998";
    let mut matches = Vec::new();
    Pii::default().find(text, &mut matches);
    let ranges: Vec<Range<usize>> = resolve(matches)
        .into_iter()
        .map(|found| found.range)
        .collect();
    assert_eq!(ranges, [0..11, 16..27]);
}

#[test]
fn ws_55_phone_prefix_belongs_to_the_phone() {
    check("+1 (415) 555-2671", &["PHONE_NUMBER=+1 (415) 555-2671"]);
}

#[test]
fn ws_56_overlaps_leave_no_fragment() {
    check(
        "x-1.2.3.4@secret-corp.com end",
        &["EMAIL_ADDRESS=x-1.2.3.4@secret-corp.com"],
    );
    check(
        "415-555-2671@example.com and keep this",
        &["EMAIL_ADDRESS=415-555-2671@example.com"],
    );
}

#[test]
fn ws_57_context_moves_confidence() {
    check("upgrade to version 1.2.3.4", &[]);
    check(
        "the client came from 81.2.69.142",
        &["IP_ADDRESS=81.2.69.142"],
    );
    let confidence = |text: &str| {
        let mut matches = Vec::new();
        Pii::default().find(text, &mut matches);
        resolve(matches).first().map(|found| found.confidence.get())
    };
    assert_eq!(confidence("81.2.69.142"), Some(0.7));
    assert_eq!(confidence("ip: 81.2.69.142"), Some(0.95));
    assert_eq!(confidence("a@b.example"), Some(0.95));
    assert_eq!(confidence("4111 1111 1111 1111"), Some(0.85));
    assert_eq!(confidence("219-09-9998"), Some(0.9));
}

#[test]
fn ws_58_international_phone_anywhere() {
    check("+44 20 7946 0958", &["PHONE_NUMBER=+44 20 7946 0958"]);
    check(" call +49 30 901820", &["PHONE_NUMBER=+49 30 901820"]);
}

#[test]
fn ws_59_iban() {
    check(
        "FR1420041010050500013M02606",
        &["IBAN_CODE=FR1420041010050500013M02606"],
    );
    check(
        "DE89 3704 0044 0532 0130 00",
        &["IBAN_CODE=DE89 3704 0044 0532 0130 00"],
    );
    check("AB12CDEF1234567", &[]);
}

#[test]
fn keys_tags_and_columns_label_what_they_hold() {
    check(
        "{\"passport\": \"J99446717\", \"requestId\": \"700379753\"}",
        &["PASSPORT=J99446717"],
    );
    check(
        "<passport>OU2399303</passport><orderId>343619081</orderId>",
        &["PASSPORT=OU2399303"],
    );
    check(
        "version;passport;user\n20.4.9.67;37WS96665;Kay\n1.0.4.2;700379753;Lee\n",
        &["PASSPORT=37WS96665", "PASSPORT=700379753"],
    );
    check(
        "| field | value |\n|---|---|\n| version | 17.20.2.91 |\n| passport | J99446717 |\n",
        &["PASSPORT=J99446717"],
    );
    check(
        "INSERT INTO t (orderId, passport, ip) VALUES ('ORD-46006939', '343619081', '81.2.69.142');",
        &["PASSPORT=343619081", "IP_ADDRESS=81.2.69.142"],
    );
    check(
        "passport=J99446717 created=20240522 seq=343619081",
        &["PASSPORT=J99446717"],
    );
}

#[test]
fn dates_count_only_as_birthdays() {
    check("born 15/08/1964 in Ulm", &["DATE_OF_BIRTH=15/08/1964"]);
    check("geburtsdatum: 3. mai 1990", &["DATE_OF_BIRTH=3. mai 1990"]);
    check("生年月日：1990年5月3日", &["DATE_OF_BIRTH=1990年5月3日"]);
    check("the meeting moved from 13.05.2026 to 19.12.2025", &[]);
    check(
        "DOB: 11/02/1989. The meeting moved to 21 February 2023",
        &["DATE_OF_BIRTH=11/02/1989"],
    );
}

#[test]
fn user_names_need_a_key() {
    check("username: x_user19", &["USERNAME=x_user19"]);
    check("login=jdoe42;", &["USERNAME=jdoe42"]);
    check(
        "id;username\n1;kay_jones\n2;brettmiller\n",
        &["USERNAME=kay_jones", "USERNAME=brettmiller"],
    );
    check("username and password are required", &[]);
    check("the user is logged in; username: string", &[]);
}

#[test]
fn what_is_no_personal_data() {
    for text in [
        "order ORD-95795103 was shipped on 2025-01-03, tracking 1ZE50D936D9BFFDAE7",
        "request id 59f18154-3e6a-41d9-8867-682132b73e17 took 633 ms",
        "commit d95613462533a037e6f609bc802ebad6e429357b broke the build",
        "ISBN 978-9-7705-5113-4, 250 pages",
        "const PI: f64 = 3.14159265358979;",
        "2026-04-17T21:55:00.123456Z INFO took 12.5 ms, 1048576 bytes",
        "the summit is at -48.07496, -3.40996",
        "std::sync::Arc, a::b1, 12:34:56",
        "total: 1,534.57, VAT 77%",
        "room 4.12, floor 56, building C",
    ] {
        check(text, &[]);
    }
}

#[test]
fn configuration_selects() {
    let text = "a@b.example born 15/08/1964 at 2024-01-02";
    let only = PiiConfig {
        entities: vec!["EMAIL_ADDRESS".to_owned()],
        ..PiiConfig::default()
    };
    check_with(
        &Pii::new(&only).unwrap(),
        text,
        &["EMAIL_ADDRESS=a@b.example"],
    );
    let more = PiiConfig {
        enable: vec!["DATE_TIME".to_owned(), "URL".to_owned()],
        disable: vec!["EMAIL_ADDRESS".to_owned()],
        ..PiiConfig::default()
    };
    check_with(
        &Pii::new(&more).unwrap(),
        "https://example.com/x on 2024-01-02, a@b.example",
        &["URL=https://example.com/x", "DATE_TIME=2024-01-02"],
    );
    let words = PiiConfig {
        context: [("PASSPORT".to_owned(), vec!["reisedokument x".to_owned()])].into(),
        ..PiiConfig::default()
    };
    check("reisedokument x: 343619081", &[]);
    check_with(
        &Pii::new(&words).unwrap(),
        "reisedokument x: 343619081",
        &["PASSPORT=343619081"],
    );
    let high = PiiConfig {
        min_confidence: 0.8,
        ..PiiConfig::default()
    };
    check_with(&Pii::new(&high).unwrap(), "81.2.69.142", &[]);
}

#[test]
fn configuration_mistakes_are_named() {
    let unknown = PiiConfig {
        disable: vec!["EMAIL".to_owned()],
        ..PiiConfig::default()
    };
    assert_eq!(
        Pii::new(&unknown).unwrap_err(),
        PiiConfigError::UnknownEntity("EMAIL".to_owned())
    );
    let confidence = PiiConfig {
        min_confidence: 1.5,
        ..PiiConfig::default()
    };
    assert_eq!(
        Pii::new(&confidence).unwrap_err(),
        PiiConfigError::BadConfidence(1.5)
    );
    let region = PiiConfig {
        regions: vec!["Europe".to_owned()],
        ..PiiConfig::default()
    };
    assert_eq!(
        Pii::new(&region).unwrap_err(),
        PiiConfigError::BadRegion("Europe".to_owned())
    );
}

#[test]
fn every_rule_is_well_formed_and_every_recogniser_has_its_number() {
    let engine = engine::builtin();
    assert!(engine.recognisers().len() < usize::from(engine::ANY_NATIONAL));
    assert!(engine.lexicon().words() > 1000);
    let mut patterns = PatternsBuilder::default();
    assert!(keyed::register(&mut patterns).is_ok());
    let id = |kind: u16| engine.recogniser(kind).unwrap().rule.id.as_ref();
    let own = engine.own;
    assert_eq!(
        [own.email, own.ip, own.mac, own.url, own.iban, own.bic].map(id),
        [
            "pii.email-address",
            "pii.ip-address",
            "pii.mac-address",
            "pii.url",
            "pii.iban",
            "pii.bic"
        ]
    );
    assert_eq!(
        [
            own.wallet,
            own.date_of_birth,
            own.date_time,
            own.username,
            own.phone,
            own.ethereum
        ]
        .map(id),
        [
            "pii.crypto-wallet",
            "pii.date-of-birth",
            "pii.date",
            "pii.username",
            "pii.phone-number",
            "pii.ethereum-address"
        ]
    );
    for recogniser in engine.recognisers() {
        let rule = &recogniser.rule;
        assert!(rule.id.starts_with("pii."), "{}", rule.id);
        assert!(
            rule.entity
                .as_ref()
                .is_some_and(|entity| !entity.is_empty()),
            "{}",
            rule.id
        );
        assert!(
            (0.0..=1.0).contains(&recogniser.plausible) && (0.0..=1.0).contains(&recogniser.valid)
        );
    }
}

#[test]
fn long_runs_are_linear() {
    for unit in [
        "1",
        "1-",
        "1 ",
        "1.1.",
        "a@",
        "1:",
        "+1 ",
        "(1",
        "AA 99 ",
        "dot ",
        " dot a",
        "username ",
        "1;",
        "1,1\n",
        "'1',",
        "VALUES (",
    ] {
        let text = unit.repeat((1 << 18) / unit.len());
        let mut matches = Vec::new();
        Pii::default().find(&text, &mut matches);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn ws_56_masking_leaves_no_fragment(pieces in prop::collection::vec(prop_oneof![
        Just("x-1.2.3.4@secret-corp.com"), Just("415-555-2671@example.com"), Just("+1 (415) 555-2671"), Just("4111 1111 1111 1111"),
        Just("DE89 3704 0044 0532 0130 00"), Just("219-09-9998"), Just(" "), Just("-"), Just("; ssn "), Just("."), Just("é"), Just("日"), Just("\n"),
    ], 0..12)) {
        let text = pieces.concat();
        let mut matches = Vec::new();
        Pii::default().find(&text, &mut matches);
        let resolved = resolve(matches.clone());
        // In order, apart, on character boundaries, and over every byte of every match.
        let mut end = 0;
        for found in &resolved {
            prop_assert!(end <= found.range.start && found.range.start < found.range.end);
            prop_assert!(text.get(found.range.clone()).is_some());
            end = found.range.end;
        }
        for found in matches {
            prop_assert!(resolved.iter().any(|kept| kept.range.start <= found.range.start && found.range.end <= kept.range.end));
        }
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,200}") {
        let mut matches = Vec::new();
        Pii::default().find(&text, &mut matches);
        for found in matches {
            prop_assert!(text.get(found.range).is_some());
        }
    }
}

/// A label that a number has used up may be asked for again by a number within that number.
#[test]
fn numbers_within_numbers_share_a_label() {
    for text in [
        "passport 12 34 567890",
        "passport 12 AB 34567",
        "licence no AB12 34567890123",
        "account number 12345678 12345678",
    ] {
        Pii::default().find(text, &mut Vec::new());
    }
    check("passport 12 34 567890", &["PASSPORT=12 34 567890"]);
}

/// A registered check reports what [`Pii::find`] finds.
#[test]
fn a_registered_check_finds_the_same() {
    use bartizan_core::{Layer, Limits, Origin};
    let mut patterns = PatternsBuilder::default();
    let pii = Pii::register(&mut patterns, &PiiConfig::default()).unwrap();
    let scanner = crate::Scanner::new(
        Arc::new(patterns.build()),
        crate::views::ViewLimits::default(),
    );
    for text in [
        "username: jane_doe77, BIC DEUTDEFF500",
        "write to jane at example dot com, or bob [at] example.org",
        "login,mail\njane_d,x\nbob_77,y\n",
        "card 4111 1111 1111 1111 of User: max.power",
    ] {
        let read = scanner.read(Origin::User, text.as_bytes());
        let mut findings = Vec::new();
        pii.check(
            &read,
            &mut Cx::new(Layer::Sensitive, Limits::default(), &mut findings),
        )
        .unwrap();
        let found: Vec<_> = findings
            .iter()
            .map(|finding| {
                (
                    finding.rule.id.to_string(),
                    finding.span.unwrap().as_range(),
                )
            })
            .collect();
        let mut matches = Vec::new();
        Pii::default().find(text, &mut matches);
        let expected: Vec<_> = matches
            .into_iter()
            .map(|found| (found.rule.id.to_string(), found.range))
            .collect();
        assert!(!expected.is_empty(), "{text}");
        assert!(expected.iter().all(|one| found.contains(one)), "{text}");
        assert!(found.iter().all(|one| expected.contains(one)), "{text}");
    }
}

#[test]
fn the_time_of_an_event_is_no_date_of_birth() {
    let line = "2026-07-21T21:33:00.123Z INFO lookup birthdate=27.07.1969 done";
    check(line, &["DATE_OF_BIRTH=27.07.1969"]);
    check(&format!("[{line}"), &["DATE_OF_BIRTH=27.07.1969"]);
    // A key, a column, or words before it still say so.
    check("dob=1990-05-03T00:00:00Z", &["DATE_OF_BIRTH=1990-05-03"]);
    check(
        "birthdate,town\n1990-05-03 00:00:00,Leeds",
        &["DATE_OF_BIRTH=1990-05-03"],
    );
    check(
        "born on 1990-05-03 10:22, in Leeds",
        &["DATE_OF_BIRTH=1990-05-03"],
    );
}

#[test]
fn a_uuid_holds_no_number() {
    check("my id: 3f2b8c1d-1111-4222-8333-671015392246", &[]);
    check("id 67101539-2246-4111-8111-415555267101 of", &[]);
}

#[test]
fn a_label_of_one_kind_beats_the_check_digit_of_another() {
    check("social security number 532641787", &["US_SSN=532641787"]);
    // Not even among all matches is it another country's as well.
    let mut matches = Vec::new();
    Pii::default().find("social security number 532641787", &mut matches);
    let rules: Vec<_> = matches.iter().map(|found| &found.rule.id).collect();
    assert_eq!(rules, ["pii.us-ssn"]);
}
