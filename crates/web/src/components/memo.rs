//! Values that are worked out from others. Whoever reads one hears of it only when it becomes another value.
//!
//! Leptos has such a type as well; it is made anew for each type of value, and a page has many: a twentieth of it. Here
//! one memo of leptos holds any value.

use leptos::prelude::{Get, GetUntracked};
use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;

type Value = Arc<dyn Any + Send + Sync>;

/// A value of any type that can be told from another one.
#[derive(Clone)]
struct Held {
    value: Value,
    is: fn(&Value, &Value) -> bool,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        (self.is)(&self.value, &other.value)
    }
}

fn is<T: PartialEq + 'static>(one: &Value, other: &Value) -> bool {
    one.downcast_ref::<T>() == other.downcast_ref::<T>()
}

/// A value worked out from others.
pub struct Memo<T> {
    inner: leptos::prelude::Memo<Held>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Memo<T> {}

impl<T: PartialEq + Send + Sync + 'static> Memo<T> {
    pub fn new(work_out: impl Fn() -> T + Send + Sync + 'static) -> Self {
        let held = move || Held { value: Arc::new(work_out()), is: is::<T> };
        Self { inner: made(Box::new(held)), of: PhantomData }
    }

    /// Reads the value; who draws is drawn anew when it changes.
    pub fn with<R>(self, read: impl FnOnce(&T) -> R) -> R {
        read(value(&self.inner.get().value))
    }

    pub fn with_untracked<R>(self, read: impl FnOnce(&T) -> R) -> R {
        read(value(&self.inner.get_untracked().value))
    }
}

impl<T: Clone + PartialEq + Send + Sync + 'static> Memo<T> {
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }

    /// `None` once whoever made it is gone.
    pub fn try_get_untracked(self) -> Option<T> {
        self.inner.try_get_untracked().map(|held| value::<T>(&held.value).clone())
    }
}

fn made(held: Box<dyn Fn() -> Held + Send + Sync>) -> leptos::prelude::Memo<Held> {
    leptos::prelude::Memo::new(move |_| held())
}

fn value<T: 'static>(held: &Value) -> &T {
    held.downcast_ref().unwrap_or_else(|| unreachable!("a memo holds what it was made with"))
}
