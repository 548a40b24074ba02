//! The service worker that keeps the page for a time without a network (worker.js), and the word that a newer page waits.

use super::tab::{Part, Tab};
use gloo_timers::callback::{Interval, Timeout};
use leptos::task::spawn_local;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ServiceWorker, ServiceWorkerContainer, ServiceWorkerRegistration, ServiceWorkerState};

const SCRIPT: &str = "/worker.js";
/// The page has all the line for itself for so long, in milliseconds.
const LATER_MS: u32 = 3_000;
/// How often a page that stays open asks for a newer one, in milliseconds.
const ASK_MS: u32 = 60 * 60 * 1_000;
/// What the waiting worker is told.
const TAKE_OVER: &str = "take-over";

/// Browsers have one on secure pages only.
fn container() -> Option<ServiceWorkerContainer> {
    let container = web_sys::window()?.navigator().service_worker();
    (!AsRef::<JsValue>::as_ref(&container).is_undefined()).then_some(container)
}

/// Has the browser keep the page, once what is on the screen has come.
pub fn keep_page(tab: &Rc<Tab>) {
    let Some(container) = container() else { return };
    let tab = Rc::clone(tab);
    Timeout::new(LATER_MS, move || {
        spawn_local(async move {
            // A browser that refuses it shows its own page without a network.
            let Ok(registration) = JsFuture::from(container.register(SCRIPT)).await else { return };
            // What blocks workers may say that it went well, and hand over nothing.
            let Ok(registration) = registration.dyn_into::<ServiceWorkerRegistration>() else { return };
            listen(&tab, &container, &registration);
            Interval::new(ASK_MS, move || drop(registration.update())).forget();
        });
    })
    .forget();
}

/// Says once that a newer page is there. The first worker of a browser is none: it has the page that is shown.
fn waits(tab: &Rc<Tab>, container: &ServiceWorkerContainer, worker: ServiceWorker) {
    if container.controller().is_some() {
        tab.newer.replace(Some(worker));
        tab.update(|state| state.changes.status = true);
    }
}

fn listen(tab: &Rc<Tab>, container: &ServiceWorkerContainer, registration: &ServiceWorkerRegistration) {
    if let Some(worker) = registration.waiting() {
        waits(tab, container, worker);
    }
    let found = {
        let (tab, container, registration) = (Rc::clone(tab), container.clone(), registration.clone());
        Closure::<dyn Fn()>::new(move || {
            let Some(worker) = registration.installing() else { return };
            let (tab, container, coming) = (Rc::clone(&tab), container.clone(), worker.clone());
            let changed = Closure::<dyn Fn()>::new(move || {
                if coming.state() == ServiceWorkerState::Installed {
                    waits(&tab, &container, coming.clone());
                }
            });
            worker.set_onstatechange(Some(changed.as_ref().unchecked_ref()));
            changed.forget();
        })
    };
    registration.set_onupdatefound(Some(found.as_ref().unchecked_ref()));
    found.forget();
}

/// Loads the newer page in place of this one.
pub fn take_newer(tab: &Tab) {
    let reload = || drop(web_sys::window().map(|window| window.location().reload()));
    let (Some(container), Some(worker)) = (container(), tab.newer.take()) else { return reload() };
    let changed = Closure::<dyn Fn()>::new(reload);
    container.set_oncontrollerchange(Some(changed.as_ref().unchecked_ref()));
    changed.forget();
    if worker.post_message(&JsValue::from_str(TAKE_OVER)).is_err() {
        reload();
    }
}

/// Whether a newer page waits.
pub fn is_newer(tab: &Tab) -> bool {
    tab.track(Part::Status);
    tab.newer.borrow().is_some()
}
