//! The house rules, as `design/architecture.md` states them: its table of floors is read from the page
//! and compared with what each source file uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Names = BTreeSet<String>;

/// No source file is longer.
const MAX_LINES: usize = 700;
/// Crates that every room may use.
const ANYWHERE: &[&str] = &["smallvec"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Files below a folder with this ending, relative to the root, sorted.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let (mut found, mut stack) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                stack.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// A source file as words and signs, without comments, strings and characters.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut out, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        let c = chars[i];
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && chars[i] != '\n' {
                i += 1;
            }
        } else if c == 'r' && (at(i + 1) == '"' || (at(i + 1) == '#' && at(i + 2) == '"')) {
            let hashes = usize::from(at(i + 1) == '#');
            i += 2 + hashes;
            while i < chars.len() && !(chars[i] == '"' && (hashes == 0 || at(i + 1) == '#')) {
                i += 1;
            }
            i += 1 + hashes;
        } else if c == '"' {
            i += 1;
            while i < chars.len() && chars[i] != '"' {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            i += 1;
        } else if c == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && chars[i] != '\'' {
                i += 1;
            }
            i += 1;
        } else if c.is_alphanumeric() || c == '_' {
            let start = i;
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            out.push(chars[start..i].iter().collect());
        } else {
            let pair = c == ':' && at(i + 1) == ':';
            if !c.is_whitespace() {
                out.push(if pair { "::".to_owned() } else { c.to_string() });
            }
            i += 1 + usize::from(pair);
        }
    }
    out
}

/// The tokens without the module `tests` at the end of a file.
fn without_tests(mut tokens: Vec<String>) -> Vec<String> {
    let end = tokens.windows(3).position(|w| w == ["mod", "tests", "{"]);
    tokens.truncate(end.unwrap_or(tokens.len()));
    tokens
}

/// The first names of all paths that start with `crate::`.
fn uses(tokens: &[String]) -> Names {
    let mut out = Names::new();
    for (i, pair) in tokens.windows(2).enumerate() {
        if pair != ["crate", "::"] {
            continue;
        }
        if tokens[i + 2] != "{" {
            out.insert(tokens[i + 2].clone());
            continue;
        }
        let mut depth = 0;
        for (j, token) in tokens.iter().enumerate().skip(i + 2) {
            match token.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ if depth == 1 && ["{", ","].contains(&tokens[j - 1].as_str()) => {
                    out.insert(token.clone());
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    // A macro of the op table, which lives at the root because macros do.
    if out.remove("for_each_op") {
        out.insert("op".into());
    }
    out
}

/// Whether a path climbs with `super::` out of its room, to the root of the crate.
fn climbs_out(file: &str, tokens: &[String]) -> bool {
    let parts = file.trim_end_matches(".rs").split('/').skip(1).filter(|p| *p != "mod");
    let home = parts.count();
    let (mut depth, mut inline) = (0, Vec::new());
    for (i, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => {
                if i >= 2 && tokens[i - 2] == "mod" {
                    inline.push(depth);
                }
                depth += 1;
            }
            "}" => {
                depth -= 1;
                inline.pop_if(|d| *d == depth);
            }
            "super" if i == 0 || tokens[i - 1] != "::" => {
                let ups = tokens[i..].chunks(2).take_while(|c| *c == ["super", "::"]).count();
                if ups >= home + inline.len() {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// One row of the page's table.
struct Room {
    name: String,
    uses: Names,
    crates: Names,
    may_be_unsafe: bool,
}

impl Room {
    fn owns(&self, file: &str) -> bool {
        let path = self.name.replace("::", "/");
        file == format!("src/{path}.rs") || file.starts_with(&format!("src/{path}/"))
    }
}

/// The words in backquotes.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The table under the heading `Floors`, ground first.
fn rooms() -> Vec<Room> {
    let page = read("design/architecture.md");
    let section = page.split("\n## Floors").nth(1).expect("a section about floors");
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|l| l.starts_with('|')).skip(2);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        Room {
            name: quoted(cells[1]).pop().unwrap_or_else(|| panic!("no room in {row}")),
            uses: quoted(cells[2]).into_iter().collect(),
            crates: quoted(cells[3]).into_iter().collect(),
            may_be_unsafe: !cells[4].is_empty(),
        }
    })
    .collect()
}

/// The crates of `[dependencies]`, as paths spell them.
fn dependencies() -> Names {
    let manifest = read("Cargo.toml");
    let section = manifest.split("\n[dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let names = section.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(" ="));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/")
}

#[test]
fn rooms_use_what_the_page_says_and_nothing_above_them() {
    let (rooms, dependencies) = (rooms(), dependencies());
    let mut found: Vec<(Names, Names, bool)> = vec![Default::default(); rooms.len()];
    for file in files("src", "rs") {
        if file == "src/lib.rs" {
            continue;
        }
        let of_room = |r: &(usize, &Room)| r.1.owns(&file);
        let room = rooms.iter().enumerate().filter(of_room).max_by_key(|r| r.1.name.len());
        let (place, room) = room.unwrap_or_else(|| panic!("{file} is in no room of the page"));
        let tokens = tokens(&read(&file));
        assert!(!climbs_out(&file, &tokens), "{file}: write `crate::`, not `super::`, to leave");
        if is_test(&file) {
            continue;
        }
        let tokens = without_tests(tokens);
        let (used, crates, is_unsafe) = &mut found[place];
        let own = room.name.split("::").next().unwrap();
        used.extend(uses(&tokens).into_iter().filter(|name| name != own));
        for pair in tokens.windows(2).filter(|p| p[1] == "::") {
            if dependencies.contains(&pair[0]) && !ANYWHERE.contains(&pair[0].as_str()) {
                crates.insert(pair[0].clone());
            }
        }
        *is_unsafe |= tokens.iter().any(|t| t == "unsafe");
    }
    for (place, (room, (used, crates, is_unsafe))) in rooms.iter().zip(found).enumerate() {
        let name = &room.name;
        assert_eq!(used, room.uses, "what `{name}` uses, and what the page says");
        assert_eq!(crates, room.crates, "crates of `{name}`, and what the page says");
        assert_eq!(is_unsafe, room.may_be_unsafe, "`unsafe` in `{name}`, and what the page says");
        for below in &room.uses {
            let known = rooms[..place].iter().any(|r| r.name == *below);
            assert!(known, "`{name}` uses `{below}`, which does not stand above it on the page");
        }
    }
}

#[test]
fn the_front_page_lists_the_rooms_in_order() {
    let page = read("src/lib.rs");
    let tops = |names: Vec<String>| -> Vec<String> {
        names.into_iter().filter(|n| !n.contains("::")).collect()
    };
    let rooms = tops(rooms().into_iter().map(|r| r.name).collect());
    let listed: Vec<String> = page
        .lines()
        .filter(|l| l.starts_with("//! | "))
        .flat_map(|l| quoted(l.split('|').nth(2).unwrap_or("")))
        .collect();
    assert_eq!(listed, rooms, "the front page of src/lib.rs, and the page");
}

#[test]
fn every_file_is_reached() {
    let (mut reached, mut stack) = (BTreeSet::new(), vec!["src/lib.rs".to_owned()]);
    while let Some(file) = stack.pop() {
        let path = PathBuf::from(&file);
        let name = path.file_stem().unwrap();
        let at_home = name == "lib" || name == "mod";
        let home = if at_home { path.parent().unwrap().into() } else { path.with_extension("") };
        let tokens = tokens(&read(&file));
        for child in tokens.windows(3).filter(|w| w[0] == "mod" && w[2] == ";") {
            let candidates = [format!("{}.rs", child[1]), format!("{}/mod.rs", child[1])];
            let found = candidates.iter().map(|c| home.join(c)).find(|c| root().join(c).is_file());
            let found = found.unwrap_or_else(|| panic!("{file}: where is `mod {}`?", child[1]));
            stack.push(found.to_str().unwrap().to_owned());
        }
        reached.insert(file);
    }
    let all: BTreeSet<String> = files("src", "rs").into_iter().collect();
    assert_eq!(reached, all, "files that modules name, and files that are there");
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let rust = ["src", "tests", "examples"].map(|f| files(f, "rs")).concat();
    for file in &rust {
        let text = read(file);
        assert!(text.starts_with("//! "), "{file} opens with no `//!`");
        let lines = text.lines().count();
        assert!(lines <= MAX_LINES, "{file} has {lines} lines, over {MAX_LINES}");
        for pair in tokens(&text).windows(2).filter(|p| p[1] == "!") {
            let unfinished = ["todo", "unimplemented", "dbg"].contains(&pair[0].as_str());
            assert!(!unfinished, "{file}: {}!", pair[0]);
        }
    }
    let python = ["python", "examples", "tests"].map(|f| files(f, "py")).concat();
    assert!(!python.is_empty());
    for file in &python {
        let text = read(file);
        let text = text.strip_prefix("#!/usr/bin/env python3\n").unwrap_or(&text);
        assert!(text.starts_with("\"\"\""), "{file} opens with no docstring");
    }
}

/// The environment can lower what is used, so whoever chooses asks `tile::Isa`.
#[test]
fn one_file_asks_the_machine_for_its_instructions() {
    for file in files("src", "rs").iter().filter(|file| *file != "src/tile/isa.rs") {
        let asks = tokens(&read(file)).iter().any(|token| token.ends_with("_feature_detected"));
        assert!(!asks, "{file} asks the machine; `tile::Isa` knows what may be used");
    }
}

/// The fenced blocks of a page in one language.
fn fences(page: &str, language: &str) -> Vec<String> {
    let open = format!("\n```{language}\n");
    page.split(&open).skip(1).map(|t| t.split("\n```").next().unwrap().to_owned()).collect()
}

#[test]
fn samples_in_the_pages_come_from_the_goldens() {
    let snapshots: Vec<String> = files("tests/snapshots", "snap").iter().map(read).collect();
    let programs: Vec<String> = files("tests/golden", "rnp").iter().map(read).collect();
    let mut count = BTreeMap::new();
    for file in files("design", "md") {
        let page = read(&file);
        for (language, sources) in
            [("kernel", &snapshots), ("graph", &snapshots), ("program", &programs)]
        {
            for sample in fences(&page, language) {
                let found = sources.iter().any(|s| s.contains(&sample));
                assert!(found, "{file}: no golden has this {language}:\n{sample}");
                *count.entry(language).or_insert(0) += 1;
            }
        }
    }
    assert!(count["kernel"] >= 4 && count["graph"] >= 1 && count["program"] >= 1, "{count:?}");
}

#[test]
fn pages_are_linked_and_decisions_are_whole() {
    let pages = files("design", "md");
    let index = read("design/README.md");
    for file in &pages {
        let page = read(file);
        let name = file.trim_start_matches("design/");
        assert!(
            name == "README.md" || index.contains(&format!("({name})")),
            "{name}: not in README"
        );
        for link in page.split("](").skip(1).filter_map(|t| t.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = root().join(file).parent().unwrap().join(target);
            assert!(path.exists(), "{file} links to {link}, which is not there");
        }
        if let Some(name) = file.strip_prefix("design/decisions/") {
            let number = name.split('-').next().unwrap();
            assert!(page.starts_with(&format!("# {number}: ")), "{file}: title");
            for part in
                ["\nDate: ", "\nStatus: ", "\n## Question\n", "\n## Answer\n", "\n## Cost\n"]
            {
                assert!(page.contains(part), "{file} has no {part:?}");
            }
        }
    }
}
