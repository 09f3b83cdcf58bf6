use std::collections::{HashMap, VecDeque};

/// Answers by the keyed hash of the text, the oldest forgotten first.
#[derive(Debug)]
pub(super) struct Cache<T> {
    known: HashMap<[u8; 16], (T, u64)>,
    /// Keys in the order in which they came.
    order: VecDeque<[u8; 16]>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T: Clone> Cache<T> {
    /// The answer under `key`, if it is not older than `max_age_ms`.
    pub(super) fn get(&self, key: &[u8; 16], now_ms: u64, max_age_ms: u64) -> Option<T> {
        let (answer, at) = self.known.get(key)?;
        (now_ms.saturating_sub(*at) <= max_age_ms).then(|| answer.clone())
    }

    pub(super) fn put(&mut self, key: [u8; 16], answer: T, now_ms: u64, capacity: usize) {
        if capacity == 0 {
            return;
        }
        if self.known.insert(key, (answer, now_ms)).is_none() {
            self.order.push_back(key);
        }
        while self.known.len() > capacity {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut cache = Cache::default();
        for number in 0..10 {
            cache.put([number; 16], "benign", 0, 3);
        }
        cache.put([9; 16], "attack", 5, 3);
        assert_eq!((cache.known.len(), cache.order.len()), (3, 3));
        assert_eq!(cache.get(&[9; 16], 10, 5), Some("attack"));
        assert_eq!(cache.get(&[9; 16], 11, 5), None, "too old");
        assert_eq!(cache.get(&[0; 16], 0, 5), None);
    }
}
