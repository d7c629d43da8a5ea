//! Settings can get another field without breaking who sets them, and what only the simulator needs
//! of `core` is nobody else's: read from the sources.

use std::{fs, path::Path};

use syn::visit::{self, Visit};

const PUBLISHED: [&str; 5] = ["core", "sim", "sim/fake-redis", "sim/story", "upstash"];

/// How the names of settings end.
const SETTINGS: [&str; 7] =
    ["Builder", "Config", "Limits", "Options", "Policy", "Rules", "Settings"];

/// What the feature `internals` shows to the simulator alone.
const INTERNAL: [&str; 4] = ["Applied", "DebounceRecord", "Life", "Memo"];

#[derive(Default)]
struct Public {
    /// Settings that a user may write down field by field.
    exhaustive: Vec<String>,
    settings: usize,
    /// The names that a `pub use` shows.
    shown: Vec<String>,
}

impl Visit<'_> for Public {
    fn visit_item_struct(&mut self, item: &syn::ItemStruct) {
        let name = item.ident.to_string();
        if is_public(&item.vis) && SETTINGS.iter().any(|end| name.ends_with(end)) {
            self.settings += 1;
            let is_open = item.fields.iter().all(|field| is_public(&field.vis));
            let is_marked =
                item.attrs.iter().any(|attribute| attribute.path().is_ident("non_exhaustive"));
            if is_open && !is_marked {
                self.exhaustive.push(name);
            }
        }
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        if is_public(&item.vis) {
            visit::visit_item_use(self, item);
        }
    }

    fn visit_use_name(&mut self, name: &syn::UseName) {
        self.shown.push(name.ident.to_string());
    }

    fn visit_use_rename(&mut self, renamed: &syn::UseRename) {
        self.shown.push(renamed.ident.to_string());
    }
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

impl Public {
    fn read(&mut self, text: &str) {
        self.visit_file(&syn::parse_file(text).unwrap());
    }

    fn walk(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.walk(&path);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.ends_with("core/src/internals.rs")
            {
                self.read(&fs::read_to_string(&path).unwrap());
            }
        }
    }
}

#[test]
fn settings_are_builders_or_non_exhaustive_and_internals_are_not_shown() {
    let mut public = Public::default();
    for package in PUBLISHED {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package).join("src");
        public.walk(&folder);
    }
    assert!(public.settings > 10, "they are not found: {}", public.settings);
    assert!(public.exhaustive.is_empty(), "not `#[non_exhaustive]`: {:?}", public.exhaustive);
    public.shown.retain(|name| INTERNAL.contains(&name.as_str()));
    assert!(public.shown.is_empty(), "shown without `internals`: {:?}", public.shown);
}

#[test]
fn open_settings_and_what_is_shown_are_seen() {
    let mut public = Public::default();
    public.read(
        "pub struct OpenOptions { pub a: u8 } #[non_exhaustive] pub struct FreeOptions { pub a: u8 }
         pub struct BuiltOptions { a: u8 } struct OwnOptions { pub a: u8 } pub struct Point { pub x: u8 }
         pub use record::{Life, Memo as Note}; use record::Applied;",
    );
    assert_eq!(public.exhaustive, ["OpenOptions"]);
    assert_eq!(public.shown, ["Life", "Memo"]);
}
