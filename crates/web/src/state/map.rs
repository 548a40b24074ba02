//! Maps and sets in the order of their keys, as plain lists. They do what the ones of the standard library do, in a fraction
//! of the code for each type of value; adding to one costs more the larger it is, which for the rooms and messages of one
//! tab is nothing.

use std::ops::{Bound, RangeBounds};

/// Values by key. Each stands by itself in memory, so that making room for one moves keys only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<K, V>(Vec<(K, Box<V>)>);

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Map<K, V> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    fn place(&self, key: &K) -> Result<usize, usize> {
        // What comes last most often goes to the end.
        match self.0.last() {
            Some((last, _)) if last < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(at, _)| at.cmp(key)),
        }
    }

    pub fn get(&self, key: &K) -> Option<&V> {
        self.place(key).ok().and_then(|at| self.0.get(at)).map(|(_, value)| &**value)
    }

    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.place(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| &mut **value)
    }

    pub fn contains_key(&self, key: &K) -> bool {
        self.place(key).is_ok()
    }

    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(at) => Some(std::mem::replace(&mut *self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, Box::new(value)));
                None
            }
        }
    }

    /// The value of a key, which is made if it is not there.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let at = match self.place(&key) {
            Ok(at) => at,
            Err(at) => {
                self.0.insert(at, (key, Box::new(value())));
                at
            }
        };
        &mut self.0[at].1
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.place(key).ok()?;
        Some(*self.0.remove(at).1)
    }

    /// What lies between two keys, in their order.
    pub fn range(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let from = self.0.partition_point(|(key, _)| match keys.start_bound() {
            Bound::Included(start) => key < start,
            Bound::Excluded(start) => key <= start,
            Bound::Unbounded => false,
        });
        let to = self.0.partition_point(|(key, _)| match keys.end_bound() {
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
            Bound::Unbounded => true,
        });
        self.0[from..to.max(from)].iter().map(|(key, value)| (key, &**value))
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, &**value))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, &mut **value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| &**value)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| &mut **value)
    }

    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Ord, V> Extend<(K, V)> for Map<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, items: I) {
        for (key, value) in items {
            self.insert(key, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Map<K, V> {
    /// Quickest if the items come in the order of their keys.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut map = Self::new();
        map.extend(items);
        map
    }
}

/// Keys without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<K>(Vec<K>);

impl<K> Default for Set<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord> Set<K> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Says whether it was not there yet.
    pub fn insert(&mut self, key: K) -> bool {
        let place = self.0.binary_search(&key);
        if let Err(at) = place {
            self.0.insert(at, key);
        }
        place.is_err()
    }

    /// Says whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        let place = self.0.binary_search(key);
        if let Ok(at) = place {
            self.0.remove(at);
        }
        place.is_ok()
    }

    pub fn contains(&self, key: &K) -> bool {
        self.0.binary_search(key).is_ok()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<K> IntoIterator for Set<K> {
    type Item = K;
    type IntoIter = std::vec::IntoIter<K>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Ord> Extend<K> for Set<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl<K: Ord> FromIterator<K> for Set<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut set = Self::new();
        set.extend(keys);
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn it_holds_what_the_standard_map_holds(
            steps in prop::collection::vec((0_u8..4, 0_u8..20, 0_u32..9), 0..60),
            from in 0_u8..20,
            to in 0_u8..20,
        ) {
            let (mut ours, mut std) = (Map::new(), BTreeMap::new());
            let (mut our_set, mut std_set) = (Set::new(), BTreeSet::new());
            for (what, key, value) in steps {
                match what {
                    0 => prop_assert_eq!(ours.insert(key, value), std.insert(key, value)),
                    1 => prop_assert_eq!(ours.remove(&key), std.remove(&key)),
                    2 => prop_assert_eq!(*ours.or_insert_with(key, || value), *std.entry(key).or_insert(value)),
                    _ => prop_assert_eq!(ours.get_mut(&key), std.get_mut(&key)),
                }
                let (inserts, removes) = (what != 1, what == 1);
                prop_assert!(!inserts || our_set.insert(key) == std_set.insert(key));
                prop_assert!(!removes || our_set.remove(&key) == std_set.remove(&key));
            }
            prop_assert!(ours.iter().eq(std.iter()) && our_set.iter().eq(std_set.iter()));
            prop_assert_eq!(ours.get(&from), std.get(&from));
            let (from, to) = (from.min(to), from.max(to));
            prop_assert!(ours.range(from..to).eq(std.range(from..to)));
            prop_assert!(ours.range(from..=to).rev().eq(std.range(from..=to).rev()));
            prop_assert!(ours.range(..to).eq(std.range(..to)) && ours.range(from..).eq(std.range(from..)));
            ours.retain(|key, _| key % 2 == 0);
            std.retain(|key, _| key % 2 == 0);
            prop_assert!(ours.iter().eq(std.iter()));
        }
    }
}
