//! Every link of every page of Markdown leads somewhere: to a file of this repository, and to a heading
//! in it. Nothing is asked of the network.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::clients::skip;

/// Where this repository is for others.
const REPOSITORY: &str = "https://github.com/leasehold/leasehold/blob/main/";

/// The packages whose documentation begins with their README, and where they are.
const DOCUMENTED: [(&str, &str); 4] = [
    ("leasehold-core/latest/leasehold_core/", "core"),
    ("leasehold-fake-redis/latest/leasehold_fake_redis/", "sim/fake-redis"),
    ("leasehold-sim/latest/leasehold_sim/", "sim"),
    ("leasehold-upstash/latest/leasehold_upstash/", "upstash"),
];

/// The links of a page, and the names by which its headings are linked to.
#[derive(Default)]
struct Page {
    links: Vec<String>,
    anchors: Vec<String>,
}

impl Page {
    fn of(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    page.add_anchor(&heading.take().unwrap_or_default());
                }
                Event::Text(part) | Event::Code(part) => {
                    if let Some(heading) = &mut heading {
                        *heading += &part;
                    }
                }
                _ => {}
            }
        }
        page
    }

    /// As GitHub names it: small letters, dashes for spaces, a number if the name is taken.
    fn add_anchor(&mut self, heading: &str) {
        let kept =
            heading.chars().filter(|letter| letter.is_alphanumeric() || "-_ ".contains(*letter));
        let name: String = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let numbered = |number: usize| format!("{name}-{number}");
        let taken = |known: &String| {
            *known == name
                || known.strip_prefix(&name).is_some_and(|end| {
                    end.strip_prefix('-').is_some_and(|number| number.parse::<usize>().is_ok())
                })
        };
        let same = self.anchors.iter().filter(|known| taken(known)).count();
        self.anchors.push(if same == 0 { name.clone() } else { numbered(same) });
    }
}

/// The links of these pages of `top` that lead nowhere, each with its page.
fn broken(top: &Path, files: &[PathBuf]) -> Vec<String> {
    let read =
        |file: &PathBuf| (file.clone(), Page::of(&fs::read_to_string(top.join(file)).unwrap()));
    let pages: BTreeMap<PathBuf, Page> = files.iter().map(read).collect();
    let mut found = Vec::new();
    for (file, page) in &pages {
        for link in &page.links {
            let Some(target) = target(file, link) else { continue };
            if let Err(why) = leads(top, &pages, &target) {
                found.push(format!("{}: {link}: {why}", file.display()));
            }
        }
    }
    found
}

/// To which file of the repository a link leads, and to what in it. None if it leads out of it, or if
/// `rustdoc` is what checks it.
fn target(file: &Path, link: &str) -> Option<(PathBuf, String)> {
    let (place, anchor) = link.split_once('#').unwrap_or((link, ""));
    let anchor = anchor.to_owned();
    if let Some(path) = place.strip_prefix(REPOSITORY) {
        return Some((path.into(), anchor));
    }
    if let Some(path) = place.strip_prefix("https://docs.rs/") {
        let (begin, folder) = DOCUMENTED.iter().find(|(begin, _)| path.starts_with(begin))?;
        return documented(folder, &path[begin.len()..]).map(|file| (file, anchor));
    }
    if place.contains("://") || place.starts_with("mailto:") {
        return None;
    }
    if let Some(folder) = package(file).filter(|_| is_rust_path(place)) {
        // Of a link within the documentation, rustdoc checks all but the heading.
        let path = place.trim_start_matches("crate::").replace("::", "/");
        let file = documented(folder, &path).filter(|_| path.starts_with("guide"))?;
        return Some((file, anchor));
    }
    if place.is_empty() {
        return Some((file.to_owned(), anchor));
    }
    Some((file.with_file_name("").join(place), anchor))
}

/// The file that a page of the documentation of a package is made from, if that is one of ours.
fn documented(folder: &str, path: &str) -> Option<PathBuf> {
    let folder = Path::new(folder);
    match path.trim_end_matches('/').split_once('/') {
        None if path.is_empty() => Some(folder.join("README.md")),
        None if path.trim_end_matches('/') == "guide" => Some(folder.join("src/guide.rs")),
        Some(("guide", page)) => Some(folder.join(format!("src/guide/{page}.md"))),
        _ => None,
    }
}

/// The package in whose documentation a page is.
fn package(file: &Path) -> Option<&'static str> {
    let folders = DOCUMENTED.iter().map(|(_, folder)| *folder);
    let is_in = |folder: &&str| {
        file.strip_prefix(folder)
            .is_ok_and(|rest| rest == Path::new("README.md") || rest.starts_with("src/guide"))
    };
    folders.into_iter().find(is_in)
}

/// Whether it is a name of Rust, such as `crate::lock::Lock` or `mod@explore`, and no file.
fn is_rust_path(place: &str) -> bool {
    let is_of_name = |letter: char| letter.is_alphanumeric() || ":_@!()".contains(letter);
    !place.is_empty() && place.chars().all(is_of_name)
}

fn leads(
    top: &Path,
    pages: &BTreeMap<PathBuf, Page>,
    target: &(PathBuf, String),
) -> Result<(), &'static str> {
    let (file, anchor) = target;
    let file = plain(file);
    if !top.join(&file).exists() {
        return Err("there is no such file");
    }
    match pages.get(&file) {
        _ if anchor.is_empty() => Ok(()),
        Some(page) if page.anchors.contains(anchor) => Ok(()),
        Some(_) => Err("there is no such heading"),
        None => Err("it is no page with headings"),
    }
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(plain.pop()),
            std::path::Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn every_link_leads_somewhere() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listed = Command::new("git").args(["ls-files", "*.md"]).current_dir(&top).output();
    let Ok(listed) = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    else {
        return skip("git does not run");
    };
    let files: Vec<PathBuf> = listed.lines().map(PathBuf::from).collect();
    if files.is_empty() {
        return skip("this is no repository");
    }
    let found = broken(&top, &files);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let place = tempfile::tempdir().unwrap();
    let pages = [
        (
            "README.md",
            "# Some `code`, and more\n\n# Twice\n\n# Twice\n\n[a](#some-code-and-more) [b](#twice-1) \
             [c](core/README.md#a-page) [d](core) [e](https://example.com/x#y) ![f](core/lib.rs)\n\n\
             ```sh\n[in code](nowhere.md)\n```\n\n[1](nowhere.md) [2](#nothing) [3](core/README.md#b) \
             | ![4](none.svg)\n\n| table |\n|---|\n| [5](core/none) |\n\n[6]\n\n[6]: none.md\n\n\
             [7](https://github.com/leasehold/leasehold/blob/main/none.md) [8](Lock)\n",
        ),
        (
            "core/README.md",
            "# A page\n\n[a](lock::Lock::new) [b](Fence) [c](guide::choose#here) [d](src/guide/choose.md) \
             [e](https://docs.rs/leasehold-core/latest/leasehold_core/guide/choose/#here) \
             [9](guide::choose#there) [10](guide::none#here) \
             [11](https://docs.rs/leasehold-core/latest/leasehold_core/guide/none/) \
             [12](https://docs.rs/leasehold-core/latest/leasehold_core/#b)\n",
        ),
        (
            "core/src/guide/choose.md",
            "# Here\n\n[a](crate::guide::choose#here) [13](../choose.md)\n",
        ),
    ];
    let files: Vec<PathBuf> = pages.iter().map(|(name, _)| name.into()).collect();
    fs::create_dir_all(place.path().join("core/src/guide")).unwrap();
    fs::write(place.path().join("core/lib.rs"), "").unwrap();
    for (name, text) in pages {
        fs::write(place.path().join(name), text).unwrap();
    }
    let found = broken(place.path(), &files);
    let links: Vec<&str> = found.iter().filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(
        links,
        [
            "nowhere.md",
            "#nothing",
            "core/README.md#b",
            "none.svg",
            "core/none",
            "none.md",
            "https://github.com/leasehold/leasehold/blob/main/none.md",
            "Lock",
            "guide::choose#there",
            "guide::none#here",
            "https://docs.rs/leasehold-core/latest/leasehold_core/guide/none/",
            "https://docs.rs/leasehold-core/latest/leasehold_core/#b",
            "../choose.md",
        ]
    );
}
