//! The language that this browser shows: the one that was chosen here, else the first of the browser's own that there is.

use crate::api::fetch::{Call, Response, fetch};
use crate::locale::{LANGUAGES, speak, speak_more, speaks_more};

/// Where the choice is kept.
const KEY: &str = "natter-language";

fn known(code: &str) -> Option<&'static str> {
    let code = code.split('-').next().unwrap_or_default();
    LANGUAGES.iter().map(|(known, _)| *known).find(|known| *known == code)
}

/// The code of the language in use.
pub fn current() -> &'static str {
    let window = web_sys::window();
    let storage = window.as_ref().and_then(|window| window.local_storage().ok().flatten());
    let chosen = storage.and_then(|storage| storage.get_item(KEY).ok().flatten());
    let own = || window.and_then(|window| window.navigator().language());
    chosen.or_else(own).and_then(|code| known(&code)).unwrap_or(LANGUAGES[0].0)
}

/// Keeps a choice; the page has to be loaded again.
pub fn choose(code: &str) -> bool {
    let storage = web_sys::window().and_then(|window| window.local_storage().ok().flatten());
    storage.is_some_and(|storage| storage.set_item(KEY, code).is_ok())
}

/// Gets the file of the language in use. Without it the page is in English.
pub async fn load() {
    let code = current();
    if code == LANGUAGES[0].0 {
        return;
    }
    if let Some(file) = file(code).await {
        speak(file);
        let root = web_sys::window().and_then(|window| window.document()?.document_element());
        let _ = root.map(|root| root.set_attribute("lang", code));
    }
}

/// Gets the English of the parts that come later, and says whether it is here.
pub async fn load_more() -> bool {
    if !speaks_more()
        && let Some(file) = file("en-parts").await
    {
        speak_more(file);
    }
    speaks_more()
}

async fn file(name: &str) -> Option<String> {
    let path = format!("/{name}.txt");
    let call = Call { path: &path, method: "GET", headers: &[], body: None, fresh: false, signal: None };
    let answer = fetch(call).await.ok().filter(Response::is_good)?;
    answer.text().await.ok()
}
