use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// A map that forgets what was not written lately once it is full.
///
/// Two generations of at most [`Self::half`] entries each: when the young one is full it becomes
/// the old one, and the old one is forgotten.
#[derive(Clone, Debug)]
pub struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    half: usize,
}

impl<K: Eq + Hash, V> Generations<K, V> {
    /// A map of at most `capacity` entries, at least two.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            half: (capacity / 2).max(1),
        }
    }

    /// Entries in each generation at most.
    #[must_use]
    pub const fn half(&self) -> usize {
        self.half
    }

    /// What stands under `key`.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    /// What stands under `key`, which is remembered as long as if it was just put there.
    pub fn touch<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        if !self.young.contains_key(key) {
            let (key, value) = self.old.remove_entry(key)?;
            self.put(key, value);
        }
        self.young.get(key)
    }

    /// Puts `value` under `key`.
    pub fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    /// Entries in both generations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.young.is_empty() && self.old.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten_and_the_touched_stay() {
        let mut known = Generations::new(8);
        known.put("often".to_owned(), 0);
        for number in 0..100 {
            known.put(number.to_string(), number);
            assert_eq!(known.touch("often"), Some(&0));
            assert!(known.len() <= 8);
        }
        assert_eq!(known.get("99"), Some(&99));
        assert_eq!(known.get("1"), None);
    }

    #[test]
    fn a_key_stands_once() {
        let mut known = Generations::new(2);
        known.put("a", 1);
        known.put("b", 2);
        known.put("a", 3);
        assert_eq!((known.get("a"), known.len()), (Some(&3), 2));
    }
}
