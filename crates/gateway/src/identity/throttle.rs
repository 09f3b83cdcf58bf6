use std::{
    hash::{BuildHasher as _, RandomState},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use bartizan_guard::Generations;
use parking_lot::Mutex;

use super::ThrottleConfig;
use crate::clock::Clock;

/// Slows down who guesses credentials; asked before anything is verified.
///
/// A source is an IPv4 address or a /64 of IPv6. After a few bad credentials it has to wait, twice
/// as long after each further one, at most [`ThrottleConfig::max_delay_seconds`]. A credential that
/// was good from the same source before never waits, so that one guesser behind a shared address
/// locks out nobody who is at work, and nobody else for long.
///
/// Bounded: two generations of at most half of [`ThrottleConfig::max_sources`] each; when one is
/// full, the older is forgotten. Who has that many sources meets the global rate instead.
pub struct Throttle {
    config: ThrottleConfig,
    state: Arc<Mutex<State>>,
    hash: RandomState,
    clock: Arc<dyn Clock>,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It may be verified.
    Go,
    /// It has to come again.
    Wait(Duration),
}

struct State {
    bad: Generations<u128, Source>,
    good: Generations<u64, ()>,
    /// The generic cell rate algorithm over all failures.
    global_until: u64,
}

#[derive(Clone, Copy, Default)]
struct Source {
    /// Failures, less those that were forgiven, in thousandths.
    failures: u64,
    at: u64,
    not_before: u64,
    /// Failures since it was quiet for long, none forgiven.
    in_all: u64,
}

const SECOND: u64 = 1_000_000_000;
const FIRST_DELAY: u64 = SECOND / 4;
const FORGIVE_EVERY: u64 = 10 * SECOND;
/// Bad credentials of one source that are an event.
const ALARM: u64 = 20;
/// After so long without one, the count for the event begins anew.
const QUIET: u64 = 600 * SECOND;

impl Throttle {
    /// A throttle that remembers nothing yet.
    #[must_use]
    pub fn new(config: ThrottleConfig, clock: Arc<dyn Clock>) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                bad: Generations::new(config.max_sources),
                good: Generations::new(config.max_sources),
                global_until: 0,
            })),
            config,
            hash: RandomState::new(),
            clock,
        }
    }

    /// A throttle of another configuration that remembers, and goes on remembering, the same.
    #[must_use]
    pub fn with(&self, config: ThrottleConfig) -> Self {
        Self {
            config,
            state: Arc::clone(&self.state),
            hash: self.hash.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Whether `credential` from `address` may be verified now.
    pub fn before(&self, address: IpAddr, credential: &str) -> Attempt {
        let source = source(address);
        let now = self.clock.nanos();
        let state = self.state.lock();
        let mut until = state.bad.get(&source).map_or(0, |source| source.not_before);
        if state.global_until > now.saturating_add(SECOND) {
            until = until.max(state.global_until - SECOND);
        }
        if until <= now
            || state
                .good
                .get(&self.hash.hash_one((source, credential)))
                .is_some()
        {
            return Attempt::Go;
        }
        Attempt::Wait(Duration::from_nanos(until - now))
    }

    /// Notes a good credential.
    pub fn succeeded(&self, address: IpAddr, credential: &str) {
        let known = self.hash.hash_one((source(address), credential));
        let mut state = self.state.lock();
        if state.good.get(&known).is_none() {
            state.good.put(known, ());
        }
    }

    /// Notes a bad credential; whether that is an event: the twentieth of a source, once until it
    /// was quiet for ten minutes.
    #[must_use]
    pub fn failed(&self, address: IpAddr) -> bool {
        let now = self.clock.nanos();
        let key = source(address);
        let mut state = self.state.lock();
        let each = SECOND / u64::from(self.config.global_per_second.max(1));
        state.global_until = state.global_until.max(now).saturating_add(each);

        let mut source = state.bad.get(&key).copied().unwrap_or_default();
        let forgiven = now.saturating_sub(source.at) / (FORGIVE_EVERY / 1_000);
        source.failures = source.failures.saturating_sub(forgiven) + 1_000;
        if now.saturating_sub(source.at) > QUIET {
            source.in_all = 0;
        }
        source.in_all += 1;
        source.at = now;
        let free = u64::from(self.config.free_attempts);
        let failures = source.failures / 1_000;
        if failures > free {
            let doublings = u32::try_from(failures - free - 1)
                .unwrap_or(u32::MAX)
                .min(32);
            let most = self.config.max_delay_seconds.saturating_mul(SECOND);
            let delay = (FIRST_DELAY << doublings).min(most);
            source.not_before = now.saturating_add(delay);
        }
        state.bad.put(key, source);
        source.in_all == ALARM
    }

    /// How many sources are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.lock().bad.len()
    }

    /// Whether no source is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Throttle({} sources)", self.len())
    }
}

/// IPv4 as it is, also where it stands in IPv6; of IPv6 the first 64 bits, which one customer has.
fn source(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => (address.to_bits() >> 64 << 64) | 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    fn throttle() -> (Throttle, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(1_000_000));
        (
            Throttle::new(ThrottleConfig::default(), clock.clone()),
            clock,
        )
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// Guesses as fast as it may until `tries` were verified; seconds that took, events.
    fn guess(throttle: &Throttle, clock: &ManualClock, from: IpAddr, tries: u32) -> (u64, u32) {
        let start = clock.unix_ms();
        let (mut done, mut events) = (0, 0);
        while done < tries {
            match throttle.before(from, "guess") {
                Attempt::Go => {
                    events += u32::from(throttle.failed(from));
                    done += 1;
                }
                Attempt::Wait(wait) => clock.advance_ms(wait.as_millis() as u64 + 1),
            }
        }
        ((clock.unix_ms() - start) / 1_000, events)
    }

    #[test]
    fn ws_33_twenty_bad_tokens_slow_down_and_are_an_event() {
        let (throttle, clock) = throttle();
        let from = address("192.0.2.1");
        let (seconds, _) = guess(&throttle, &clock, from, 5);
        assert_eq!(seconds, 0, "a few typing errors are free");
        let (seconds, events) = guess(&throttle, &clock, from, 15);
        assert!(seconds >= 60, "{seconds}");
        assert_eq!(events, 1);
        let (seconds, events) = guess(&throttle, &clock, from, 100);
        assert!(seconds >= 100 * 9, "{seconds}");
        assert_eq!(events, 0, "once");
    }

    #[test]
    fn delay_is_bounded_and_forgiven() {
        let (throttle, clock) = throttle();
        let from = address("192.0.2.1");
        guess(&throttle, &clock, from, 30);
        let Attempt::Wait(wait) = throttle.before(from, "other") else {
            panic!()
        };
        assert!(wait <= Duration::from_secs(30));
        assert_eq!(throttle.before(address("192.0.2.2"), "other"), Attempt::Go);
        clock.advance_ms(600_000);
        let (seconds, _) = guess(&throttle, &clock, from, 5);
        assert_eq!(seconds, 0);
    }

    #[test]
    fn good_credential_of_the_same_address_goes_on() {
        let (throttle, clock) = throttle();
        let from = address("192.0.2.1");
        throttle.succeeded(from, "good");
        guess(&throttle, &clock, from, 20);
        assert_eq!(throttle.before(from, "good"), Attempt::Go);
        assert_ne!(throttle.before(from, "goof"), Attempt::Go);
    }

    #[test]
    fn a_64_of_ipv6_is_one_source() {
        let (throttle, _) = throttle();
        for n in 0..20_u16 {
            let _ = throttle.failed(address(&format!("2001:db8:1:2::{n:x}")));
        }
        assert_ne!(
            throttle.before(address("2001:db8:1:2:ffff::1"), "x"),
            Attempt::Go
        );
        assert_eq!(
            throttle.before(address("2001:db8:1:3::1"), "x"),
            Attempt::Go
        );
        for _ in 0..20 {
            let _ = throttle.failed(address("::ffff:192.0.2.9"));
        }
        assert_ne!(throttle.before(address("192.0.2.9"), "x"), Attempt::Go);
    }

    #[test]
    fn many_sources_meet_the_global_rate_in_bounded_memory() {
        let (throttle, clock) = throttle();
        let good = address("203.0.113.1");
        throttle.succeeded(good, "good");
        let mut verified = 0;
        for n in 0..200_000_u32 {
            let from = IpAddr::from(std::net::Ipv4Addr::from_bits(0x0a00_0000 + n));
            if throttle.before(from, "guess") == Attempt::Go {
                let _ = throttle.failed(from);
                verified += 1;
            }
            if n % 100 == 0 {
                clock.advance_ms(10);
            }
        }
        // 20 seconds at 100 per second, and the first burst.
        assert!(verified <= 2_101, "{verified}");
        assert_eq!(throttle.before(good, "good"), Attempt::Go);
        let (throttle, clock) = self::throttle();
        for n in 0..200_000_u32 {
            let _ = throttle.failed(IpAddr::from(std::net::Ipv4Addr::from_bits(n)));
            clock.advance_ms(10);
        }
        assert!(throttle.len() <= 65_536);
    }
}
