//! Cuts the page, as the linker left it, where `crates/web/src/pages/parts.rs` says. It writes modules and a script that
//! loads them; naming, shrinking and joining these is xtask's (crates/xtask/src/parts.rs), which alone calls this.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use wasm_split_cli_support::{Options, transform};

const USAGE: &str = "usage: natter-split <linked module> <folder> <main module> <script> <script of the main module>";

/// The page in `linked`, which must have its relocations. `main` and `script` are written into `folder` like the parts, and
/// `script` imports `glue`, which wasm-bindgen will write.
fn cut([linked, folder, main, script, glue]: &[String; 5]) -> Result<(), String> {
    let linked = fs::read(linked).map_err(|failure| format!("cannot read {linked}: {failure}"))?;
    let folder = Path::new(folder);
    let main = folder.join(main);
    let mut options = Options::new(&linked);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.link_name = script;
    options.main_module = glue;
    let split = transform(options).map_err(|failure| format!("cannot cut the page into parts: {failure:#}"))?;
    if split.split_modules.is_empty() {
        return Err("the page has no parts; was it built with the feature `split`?".to_owned());
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let cut = match <&[String; 5]>::try_from(arguments.as_slice()) {
        Ok(arguments) => cut(arguments),
        Err(_) => Err(USAGE.to_owned()),
    };
    match cut {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
