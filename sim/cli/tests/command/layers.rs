//! Arrows between files go one way: what ARCHITECTURE.md says of it is read from the `use` lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::visit::{self, Visit};

/// A module by its path in the crate; the crate itself is the empty one.
type Module = Vec<String>;

/// Which modules the modules of a crate name, but for those that are inside of one another.
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

const PACKAGES: [&str; 8] =
    ["benches", "core", "fuzz", "sim", "sim/cli", "sim/fake-redis", "sim/story", "upstash"];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a crate, by module.
fn modules(folder: &Path, prefix: &Module, found: &mut BTreeMap<Module, PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let module = [prefix.clone(), vec![name.clone()]].concat();
        if path.is_dir() {
            modules(&path, &module, found);
        } else if name == "lib" || name == "main" {
            found.insert(Module::new(), path);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.insert(module, path);
        }
    }
}

/// Collects the paths that a file names, without its tests.
struct Paths(Vec<Module>);

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.enter(&Module::new(), &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }
}

impl Paths {
    fn enter(&mut self, prefix: &Module, tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [prefix.clone(), vec![name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.enter(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.0.push(with(&name.ident)),
            syn::UseTree::Rename(name) => self.0.push(with(&name.ident)),
            syn::UseTree::Glob(_) => self.0.push(prefix.clone()),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.enter(prefix, tree));
            }
        }
    }
}

fn is_for_tests(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    let is_test =
        |meta: &syn::MetaList| meta.path.is_ident("cfg") && meta.tokens.to_string() == "test";
    attributes.iter().any(|attribute| attribute.meta.require_list().is_ok_and(is_test))
}

/// The modules that are compiled for tests only.
fn is_test_module(module: &Module) -> bool {
    module.iter().any(|name| name.ends_with("_test") || name == "tests" || name == "stories")
}

fn arrows(modules: &BTreeMap<Module, PathBuf>) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, file) in modules.iter().filter(|(module, _)| !is_test_module(module)) {
        let file = syn::parse_file(&fs::read_to_string(file).unwrap()).unwrap();
        let mut paths = Paths(Vec::new());
        paths.visit_file(&file);
        let targets = paths.0.iter().filter_map(|path| target(module, path, modules));
        let outside = |target: &Module| !target.starts_with(module) && !module.starts_with(target);
        arrows.insert(module.clone(), targets.filter(outside).collect());
    }
    arrows
}

/// The module of this crate that `path`, in `module`, leads to.
fn target(module: &Module, path: &Module, modules: &BTreeMap<Module, PathBuf>) -> Option<Module> {
    let mut at = match path.first()?.as_str() {
        "crate" => Module::new(),
        "super" | "self" => module.clone(),
        _ => return None,
    };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            name => {
                at.push(name.to_owned());
                if !modules.contains_key(&at) {
                    at.pop();
                    break;
                }
            }
        }
    }
    Some(at)
}

/// The modules that can be reached from themselves.
fn circle(arrows: &Arrows) -> Vec<String> {
    let mut left = arrows.clone();
    loop {
        // Whoever names nobody that is left, or is named by nobody, is in no circle.
        let names: BTreeSet<_> = left.keys().cloned().collect();
        let named: BTreeSet<_> = left.values().flatten().cloned().collect();
        let before = left.len();
        left.retain(|module, targets| {
            named.contains(module) && targets.iter().any(|target| names.contains(target))
        });
        if left.len() == before {
            return left.into_keys().map(|module| module.join("/")).collect();
        }
    }
}

fn arrows_of(package: &str) -> Arrows {
    let mut found = BTreeMap::new();
    modules(&top().join(package).join("src"), &Module::new(), &mut found);
    arrows(&found)
}

#[test]
fn no_files_of_a_package_import_each_other_in_a_circle() {
    for package in PACKAGES {
        let circle = circle(&arrows_of(package));
        assert!(circle.is_empty(), "{package}: {circle:?}");
    }
}

/// The floors of the packages, from the ground, as ARCHITECTURE.md draws them: `package: a, b < c`.
fn floors() -> BTreeMap<String, Vec<BTreeSet<String>>> {
    let page = fs::read_to_string(top().join("ARCHITECTURE.md")).unwrap();
    let (_, rest) = page.split_once("```floors\n").expect("the floors in ARCHITECTURE.md");
    let (drawn, _) = rest.split_once("```").expect("their end");
    // A line that is indented goes on where the one before it ended.
    let drawn = drawn.replace("\n  ", " ");
    let package = |line: &str| {
        let (package, floors) = line.split_once(':').expect("a package and its floors");
        let floor = |floor: &str| floor.split(',').map(|name| name.trim().to_owned()).collect();
        (package.to_owned(), floors.split('<').map(floor).collect())
    };
    drawn.lines().map(package).collect()
}

#[test]
fn each_floor_names_only_those_below_it() {
    for (package, floors) in floors() {
        let floor_of = |module: &Module| {
            let floor = floors.iter().position(|floor| floor.contains(&module[0]));
            floor.unwrap_or_else(|| panic!("{package}: {} is on no floor", module[0]))
        };
        for (from, targets) in arrows_of(&package).iter().filter(|(from, _)| !from.is_empty()) {
            let others = targets.iter().filter(|to| !to.is_empty() && to[0] != from[0]);
            for to in others {
                let downwards = floor_of(to) < floor_of(from);
                assert!(downwards, "{package}: {} names {}", from.join("/"), to.join("/"));
            }
        }
    }
}

#[test]
fn a_circle_is_seen() {
    let module = |name: &str| vec![name.to_owned()];
    let arrows: Arrows = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "a")]
        .into_iter()
        .map(|(from, to)| (module(from), BTreeSet::from([module(to)])))
        .collect();
    assert_eq!(circle(&arrows), ["b", "c"]);
}
