use std::io;

use bartizan_govern::{
    EraseError, HoldConfig, Holds, Journal, StoreFault, Subject, SubjectStore, erase,
};
use serde_json::Value;

use super::{Rows, key, subject};

fn stores() -> Vec<Rows> {
    vec![
        Rows::new("shop", &[("alice", 1), ("bob", 1), ("alice", 2)]),
        Rows::new("logs", &[("alice", 3)]),
        Rows::new("empty", &[("bob", 1)]),
    ]
}

/// Lets a test look at stores behind the boxes.
struct Shared(std::rc::Rc<std::cell::RefCell<Rows>>, String);

impl SubjectStore for Shared {
    fn name(&self) -> &str {
        &self.1
    }
    fn kind(&self) -> &'static str {
        "rows"
    }
    fn class(&self) -> &str {
        ""
    }
    fn count(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.0.borrow_mut().count(subject)
    }
    fn erase(&mut self, subject: &Subject) -> Result<u64, StoreFault> {
        self.0.borrow_mut().erase(subject)
    }
    fn export(&mut self, subject: &Subject) -> Result<Vec<Value>, StoreFault> {
        self.0.borrow_mut().export(subject)
    }
    fn count_old(&mut self, before: i64, holds: &Holds) -> Result<(u64, u64), StoreFault> {
        self.0.borrow_mut().count_old(before, holds)
    }
    fn remove_old(&mut self, before: i64, holds: &Holds) -> Result<u64, StoreFault> {
        self.0.borrow_mut().remove_old(before, holds)
    }
}

fn found(journal: &Journal) -> Vec<(Option<u64>, Option<u64>)> {
    journal
        .stores
        .iter()
        .map(|step| (step.found, step.left))
        .collect()
}

#[test]
fn ws_20_a_run_that_is_ended_anywhere_is_taken_up() {
    let alice = subject("alice");
    let none = Holds::new(&[], key());
    // The journal is kept twice for each of three stores, and at the end: ended at each of these.
    for ended_at in 1..=7 {
        let rows: Vec<_> = stores()
            .into_iter()
            .map(|rows| std::rc::Rc::new(std::cell::RefCell::new(rows)))
            .collect();
        let open = || -> Vec<Box<dyn SubjectStore>> {
            rows.iter()
                .map(|rows| {
                    let name = rows.borrow().name.clone();
                    Box::new(Shared(std::rc::Rc::clone(rows), name)) as Box<dyn SubjectStore>
                })
                .collect()
        };
        let mut kept: Option<Journal> = None;
        let mut times = 0;
        let mut journal = Journal::new(&alice, 100);
        let ended = erase(
            &alice,
            &mut open(),
            &none,
            &mut journal,
            || 200,
            |journal| {
                times += 1;
                if times == ended_at {
                    return Err(io::Error::other("ended"));
                }
                kept = Some(journal.clone());
                Ok(())
            },
        );
        assert!(matches!(ended, Err(EraseError::Journal(_))), "{ended_at}");
        let mut journal = kept.clone().unwrap_or_else(|| Journal::new(&alice, 100));
        erase(
            &alice,
            &mut open(),
            &none,
            &mut journal,
            || 300,
            |_| Ok::<_, io::Error>(()),
        )
        .unwrap();
        assert!(
            rows.iter()
                .all(|rows| rows.borrow().rows.iter().all(|(who, _)| who == "bob"))
        );
        assert_eq!(
            rows.iter()
                .map(|rows| rows.borrow().rows.len())
                .sum::<usize>(),
            2
        );
        assert_eq!(
            found(&journal),
            [(Some(2), Some(0)), (Some(1), Some(0)), (Some(0), Some(0))],
            "ended at {ended_at}"
        );
        assert_eq!((journal.began_ms, journal.ended_ms), (100, Some(300)));
        let text = serde_json::to_string(&journal).unwrap();
        assert!(!text.contains("alice"), "{text}");
    }
}

#[test]
fn a_store_that_fails_leaves_no_end() {
    let alice = subject("alice");
    let none = Holds::new(&[], key());
    let mut journal = Journal::new(&alice, 1);
    let mut broken = Rows::new("logs", &[("alice", 1)]);
    broken.fails_at = Some(2);
    let mut stores: Vec<Box<dyn SubjectStore>> = vec![Box::new(broken)];
    let failed = erase(
        &alice,
        &mut stores,
        &none,
        &mut journal,
        || 2,
        |_| Ok::<_, io::Error>(()),
    );
    assert!(
        matches!(failed, Err(EraseError::Store { .. })),
        "{failed:?}"
    );
    assert_eq!(journal.ended_ms, None);
    assert_eq!(found(&journal), [(Some(1), None)]);
}

#[test]
fn who_is_held_is_not_erased() {
    let alice = subject("alice");
    let hold = HoldConfig {
        id: "case-7".to_owned(),
        class: None,
        subject: Some(alice.hash().clone()),
    };
    let holds = Holds::new(&[hold], key());
    let mut journal = Journal::new(&alice, 1);
    let mut stores: Vec<Box<dyn SubjectStore>> = vec![Box::new(Rows::new("x", &[("alice", 1)]))];
    let held = erase(
        &alice,
        &mut stores,
        &holds,
        &mut journal,
        || 2,
        |_| Ok::<_, io::Error>(()),
    );
    let Err(error) = held else { panic!() };
    assert_eq!(
        error.to_string(),
        "the subject, or a class of data, is held by `case-7`; nothing was removed"
    );
    assert_eq!(stores[0].count(&alice), Ok(1));
    let mut other = Journal::new(&subject("bob"), 1);
    let none = Holds::new(&[], key());
    let wrong = erase(
        &alice,
        &mut stores,
        &none,
        &mut other,
        || 2,
        |_| Ok::<_, io::Error>(()),
    );
    assert!(matches!(wrong, Err(EraseError::OtherSubject)));
}

#[test]
fn a_hold_on_a_class_keeps_everybody_in_it_from_being_erased() {
    let alice = subject("alice");
    let hold = HoldConfig {
        id: "case-9".to_owned(),
        class: Some("orders".to_owned()),
        subject: None,
    };
    let holds = Holds::new(&[hold], key());
    let mut held = Rows::new("shop", &[("alice", 1)]);
    held.class = "orders".to_owned();
    let free = Rows::new("logs", &[("alice", 1)]);
    let mut stores: Vec<Box<dyn SubjectStore>> = vec![Box::new(free), Box::new(held)];
    let refused = erase(
        &alice,
        &mut stores,
        &holds,
        &mut Journal::new(&alice, 1),
        || 2,
        |_| Ok::<_, io::Error>(()),
    );
    assert!(
        matches!(&refused, Err(EraseError::Held(hold)) if hold.0 == "case-9"),
        "{refused:?}"
    );
    for store in &mut stores {
        assert_eq!(store.count(&alice), Ok(1));
    }
}
