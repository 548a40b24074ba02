//! The one way in which the page sorts. A sorting of its own for each type and each rule would be made anew each time.

/// By rank, then by name, then by id; what is equal in all stays in its order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    rank: i64,
    name: String,
    id: [u8; 16],
}

impl Order {
    pub const fn new(rank: i64, name: String) -> Self {
        Self { rank, name, id: [0; 16] }
    }

    /// What decides where rank and name are equal.
    #[must_use]
    pub fn id(self, id: [u8; 16]) -> Self {
        Self { id, ..self }
    }
}

pub fn sorted<T>(items: impl IntoIterator<Item = T>, order: impl Fn(&T) -> Order) -> Vec<T> {
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let mut places: Vec<(Order, usize)> =
        items.iter().flatten().map(order).enumerate().map(|(at, order)| (order, at)).collect();
    places.sort_unstable();
    places.into_iter().filter_map(|(_, at)| items.get_mut(at)?.take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_goes_before_name_and_equals_keep_their_order() {
        let items = [(1, "b", 0), (0, "z", 1), (1, "a", 2), (1, "b", 3)];
        let order = |item: &(i64, &str, i32)| Order::new(item.0, item.1.to_owned());
        let seen: Vec<i32> = sorted(items, order).into_iter().map(|item| item.2).collect();
        assert_eq!(seen, [1, 2, 0, 3]);
    }
}
