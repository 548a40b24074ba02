//! How many connections there may be: of one person, from one address, and not yet signed in altogether.

use super::lock;
use crate::service::rate::network;
use natter_shared::id::UserId;
use natter_shared::limits;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

pub struct Doors {
    /// Off for load tests, which come from one address: then only the connections of a person are counted.
    guarded: bool,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    unsigned: usize,
    addresses: HashMap<IpAddr, usize>,
    people: HashMap<UserId, usize>,
}

/// Which limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Too many from this address.
    Address,
    /// Too many that have not signed in.
    Unsigned,
    /// Too many of this person.
    Person,
}

impl Doors {
    pub fn new(guarded: bool) -> Self {
        Self { guarded, counts: Mutex::default() }
    }

    /// Lets a connection in that has not signed in yet. The pass gives back what it took when it is dropped.
    pub fn enter(self: &Arc<Self>, ip: IpAddr) -> Result<Pass, Full> {
        let ip = network(ip);
        let mut counts = lock(&self.counts);
        if self.guarded && counts.addresses.get(&ip).is_some_and(|n| *n >= limits::CONNECTIONS_PER_IP) {
            return Err(Full::Address);
        }
        if self.guarded && counts.unsigned >= limits::CONNECTIONS_UNSIGNED {
            return Err(Full::Unsigned);
        }
        counts.unsigned += 1;
        *counts.addresses.entry(ip).or_default() += 1;
        Ok(Pass { doors: Arc::clone(self), ip, user: None })
    }
}

/// The right to be connected.
pub struct Pass {
    doors: Arc<Doors>,
    ip: IpAddr,
    user: Option<UserId>,
}

impl Pass {
    /// The connection has signed in as this person.
    pub fn sign_in(&mut self, user: UserId) -> Result<(), Full> {
        let mut counts = lock(&self.doors.counts);
        let of_person = counts.people.entry(user).or_default();
        if *of_person >= limits::CONNECTIONS_PER_USER {
            return Err(Full::Person);
        }
        *of_person += 1;
        if self.user.replace(user).is_none() {
            counts.unsigned -= 1;
        }
        Ok(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = lock(&self.doors.counts);
        match self.user {
            None => counts.unsigned -= 1,
            Some(user) => give_back(&mut counts.people, &user),
        }
        give_back(&mut counts.addresses, &self.ip);
    }
}

fn give_back<K: Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
        if *count == 0 {
            counts.remove(of);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u16) -> IpAddr {
        let [a, b] = n.to_be_bytes();
        IpAddr::from([10, 0, a, b])
    }

    #[test]
    fn each_limit_holds_and_what_is_given_back_is_free_again() {
        let doors = Arc::new(Doors::new(true));
        let ann = UserId::from_bytes([1; 16]);

        let mut passes: Vec<Pass> = (0..limits::CONNECTIONS_PER_IP).map(|_| doors.enter(ip(0)).unwrap()).collect();
        assert_eq!(doors.enter(ip(0)).err(), Some(Full::Address));
        for pass in &mut passes[..limits::CONNECTIONS_PER_USER] {
            pass.sign_in(ann).unwrap();
        }
        assert_eq!(passes[50].sign_in(ann), Err(Full::Person));
        passes[50].sign_in(UserId::from_bytes([2; 16])).unwrap();
        passes.swap_remove(0);
        assert!(passes[60].sign_in(ann).is_ok() && doors.enter(ip(0)).is_ok());

        drop(passes);
        let many: Vec<Pass> = (0..500).map(|n| doors.enter(ip(n)).unwrap()).collect();
        assert_eq!(doors.enter(ip(999)).err(), Some(Full::Unsigned));
        drop(many);
        let counts = lock(&doors.counts);
        assert!(counts.unsigned == 0 && counts.addresses.is_empty() && counts.people.is_empty());
    }

    #[test]
    fn load_tests_are_not_counted_out() {
        let doors = Arc::new(Doors::new(false));
        let passes: Vec<Pass> = (0..1_000).map(|_| doors.enter(ip(0)).unwrap()).collect();
        drop(passes);
    }
}
