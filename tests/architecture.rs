//! The rules of ARCHITECTURE.md that a compiler does not know: which crate may use which, what their sources may name, and how
//! files look.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Every crate by its folder and what it may use of the others.
const EDGES: [(&str, &[&str]); 9] = [
    ("cli", &["tasks"]),
    ("compute", &["core", "geometry", "ngff", "options", "sources", "store"]),
    ("core", &["geometry", "ngff", "options", "sources", "store"]),
    ("geometry", &[]),
    ("ngff", &["geometry", "store"]),
    ("options", &["geometry", "ngff"]),
    ("sources", &["geometry"]),
    ("store", &["geometry"]),
    (
        "tasks",
        &["compute", "core", "geometry", "ngff", "options", "sources", "store"],
    ),
];

/// Heavy dependencies and the one crate that may name each.
const HEAVY: [(&str, &str); 9] = [
    ("calamine", "core"),
    ("clap", "cli"),
    ("image", "sources"),
    ("indicatif", "cli"),
    ("png", "sources"),
    ("polars", "core"),
    ("rayon", "compute"),
    ("tiff", "sources"),
    ("zarrs", "compute"),
];

/// Where files of the system may be opened: everything else goes through a store.
const MAY_TOUCH_FILES: [&str; 9] = [
    // A folder as a store.
    "crates/store/src/folder",
    // Positioned reads of image files.
    "crates/sources/src/file.rs",
    // Whether an image file is there, and how large it is.
    "crates/sources/src/loader.rs",
    // Tables and acquisition files.
    "crates/core/src/acquisition",
    "crates/core/src/table",
    "crates/core/src/path.rs",
    // Its tests read the seeds of the fuzz targets.
    "crates/sources/src/formats.rs",
    // Files of arguments and answers, acquisitions and their tables, what the system grants a process.
    "crates/tasks/src",
    "crates/cli/src",
];

/// Files of more than [`LONGEST`] lines, and why they may be.
const LONG: &[(&str, &str)] = &[
    ("crates/sources/tests/files/main.rs", "how every kind of file is made"),
    (
        "crates/sources/tests/files/sets.rs",
        "one table of what sets of files can be",
    ),
    (
        "tests/architecture.rs",
        "every rule of the house, with the lists that it holds files against",
    ),
    (
        "crates/compute/tests/engine/random.rs",
        "one random scene and all that is held against the oracle",
    ),
    (
        "crates/compute/tests/engine/failures.rs",
        "one table of what can go wrong with an image",
    ),
    (
        "crates/compute/tests/engine/scene.rs",
        "what every test of the engine is built from",
    ),
    (
        "crates/core/src/registration/tests.rs",
        "one table of cases with the images that they are about",
    ),
    (
        "crates/core/src/table/tests.rs",
        "one table of cases with the tables that they are about",
    ),
];
/// Crates whose modules use each other, and why.
const CIRCLES: &[(&str, &str)] = &[
    (
        "tasks",
        "`documents` holds every JSON, that of plans and that of child processes, which are parts of runs",
    ),
    (
        "core",
        "an extension is handed the tiles, images and steps that it extends, and these name extensions",
    ),
];
const LONGEST: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The packages of the workspace as `cargo metadata` describes them, by folder; the root is called `.`.
fn packages() -> BTreeMap<String, Value> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--offline", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = |package: &Value| {
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        let name = folder
            .strip_prefix(root().join("crates"))
            .map_or(".", |below| below.to_str().unwrap());
        (name.to_owned(), package.clone())
    };
    metadata["packages"].as_array().unwrap().iter().map(named).collect()
}

/// The dependencies of a package; `kind` is `None` for ordinary ones, else `dev` or `build`.
fn dependencies<'a>(package: &'a Value, kind: Option<&'a str>) -> impl Iterator<Item = &'a Value> {
    let all = package["dependencies"].as_array().unwrap().iter();
    all.filter(move |dependency| dependency["kind"].as_str() == kind)
}

/// The crates of this workspace among some dependencies, by folder.
fn crates<'a>(dependencies: impl Iterator<Item = &'a Value>) -> BTreeSet<String> {
    let folder = |path: &str| Path::new(path).file_name().unwrap().to_str().unwrap().to_owned();
    dependencies
        .filter_map(|dependency| dependency["path"].as_str().map(folder))
        .collect()
}

#[test]
fn crates_use_each_other_as_the_table_says() {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, package) in packages() {
        let ordinary = dependencies(&package, None).chain(dependencies(&package, Some("build")));
        found.insert(name, crates(ordinary));
    }
    assert_eq!(
        found.remove("."),
        Some(BTreeSet::new()),
        "the root has no sources: it needs dev-dependencies only"
    );
    let table = EDGES.map(|(name, uses)| (name.to_owned(), uses.iter().map(|&name| name.to_owned()).collect()));
    assert_eq!(found, BTreeMap::from(table));
}

#[test]
fn tests_of_a_crate_see_no_more_of_the_others_than_the_crate() {
    for (name, package) in packages() {
        if name != "." {
            let own = crates(dependencies(&package, None));
            let of_tests = crates(dependencies(&package, Some("dev")));
            assert!(of_tests.is_subset(&own), "{name}: {of_tests:?}");
        }
    }
}

#[test]
fn heavy_dependencies_have_one_owner() {
    for (name, package) in packages() {
        for dependency in dependencies(&package, None).chain(dependencies(&package, Some("build"))) {
            let dependency = dependency["name"].as_str().unwrap();
            // The parts of a dependency as well: polars-core, zarrs_filesystem.
            let heavy = HEAVY.iter().find(|(heavy, _)| {
                dependency == *heavy
                    || dependency.starts_with(&format!("{heavy}-"))
                    || dependency.starts_with(&format!("{heavy}_"))
            });
            if let Some((heavy, owner)) = heavy {
                assert_eq!(name, *owner, "{name} uses {dependency}: {heavy} is for {owner}");
            }
        }
        let of_tests: Vec<_> = dependencies(&package, Some("dev"))
            .map(|d| d["name"].as_str().unwrap())
            .collect();
        let polars_in_tests = of_tests.contains(&"polars") && !matches!(name.as_str(), "." | "core");
        assert!(
            !polars_in_tests,
            "{name}: polars takes minutes to compile; test what needs a data frame in core or the root"
        );
    }
}

/// A Rust file of the repository.
struct Source {
    /// Path below the root, with `/`.
    path: String,
    text: String,
}

impl Source {
    /// The whole file without unit tests, comments and texts.
    fn code(&self) -> String {
        let mut kept = String::new();
        // Lines of a unit test module, until its brace closes.
        let (mut skipping, mut depth) = (false, 0_i64);
        for line in self.text.lines() {
            let code = without_texts(line.split("//").next().unwrap_or_default());
            if line.trim() == "#[cfg(test)]" {
                (skipping, depth) = (true, 0);
                continue;
            }
            if !skipping {
                kept.push_str(&code);
                kept.push('\n');
                continue;
            }
            let braces = |brace: char| code.matches(brace).count() as i64;
            depth += braces('{') - braces('}');
            let opened_and_closed = code.contains('}') && depth <= 0;
            if opened_and_closed || (depth == 0 && code.trim_end().ends_with(';')) {
                skipping = false;
            }
        }
        kept
    }

    fn is_below(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }

    fn is_for_tests(&self) -> bool {
        self.path.contains("/tests/") || self.path.ends_with("/tests.rs") || self.path.ends_with("/properties.rs")
    }
}

/// A line without what stands between quotes.
fn without_texts(line: &str) -> String {
    let mut kept = String::new();
    let (mut inside, mut escaped) = (false, false);
    for letter in line.chars() {
        match letter {
            '"' if !escaped => inside = !inside,
            _ if !inside => kept.push(letter),
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
    }
    kept
}

/// Every Rust file that is ours.
fn sources() -> Vec<Source> {
    fn collect(folder: PathBuf, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Fuzzers and other nested workspaces may build beside their sources.
                if !path.ends_with("target") {
                    collect(path, found);
                }
            } else if path.extension().is_some_and(|suffix| suffix == "rs") {
                let below = path.strip_prefix(root()).unwrap();
                let parts: Vec<_> = below.iter().map(|part| part.to_str().unwrap()).collect();
                found.push(Source {
                    path: parts.join("/"),
                    text: fs::read_to_string(&path).unwrap(),
                });
            }
        }
    }
    let mut found = Vec::new();
    for folder in ["crates", "tests", "examples", "benches", "testdata"].map(|folder| root().join(folder)) {
        if folder.is_dir() {
            collect(folder, &mut found);
        }
    }
    assert!(found.len() > 50, "{} files: is this the repository?", found.len());
    found
}

/// Fails when one of `words` is in one of `sources`.
#[track_caller]
fn none_names<'a>(words: &[&str], sources: impl Iterator<Item = &'a Source>) {
    let mut looked_at = 0;
    for source in sources {
        looked_at += 1;
        let code = source.code();
        for word in words {
            let alone = |(at, _): (usize, &str)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let named = code.match_indices(word).any(alone);
            assert!(!named, "{} names {word}", source.path);
        }
    }
    assert!(looked_at > 0, "no file is held to this rule: was a folder renamed?");
}

#[test]
fn registration_and_planning_are_pure() {
    let sources = sources();
    let pure = |source: &&Source| {
        source.is_below(&["crates/core/src/registration", "crates/compute/src/plan"]) && !source.is_for_tests()
    };
    let words = [
        "std::fs",
        "std::io",
        "std::env",
        "std::net",
        "std::thread",
        "std::time",
        "File::",
        "rayon",
        "Mutex",
        "Atomic",
    ];
    none_names(&words, sources.iter().filter(pure));
}

#[test]
fn a_store_knows_no_meaning_and_one_of_them_files() {
    let sources = sources();
    let of_store = || sources.iter().filter(|source| source.is_below(&["crates/store/src"]));
    none_names(&["zarr.json", ".zgroup", ".zattrs", ".zarray"], of_store());
    let in_folder = |source: &&Source| source.is_below(&["crates/store/src/folder"]);
    none_names(&["std::fs", "rustix"], of_store().filter(|source| !in_folder(source)));
}

#[test]
fn options_are_arguments() {
    let sources = sources();
    let below = [
        "crates/ngff/src",
        "crates/store/src",
        "crates/sources/src",
        "crates/core/src",
        "crates/compute/src",
    ];
    let words = [
        "env::var",
        "env::args",
        "env::home_dir",
        "env::current_dir",
        "static mut",
    ];
    // `~` in a path means the home folder, which only the environment knows.
    let home = "crates/sources/src/loader.rs";
    none_names(
        &words,
        sources
            .iter()
            .filter(|source| source.is_below(&below) && source.path != home),
    );
    none_names(
        &["env::var", "env::args", "env::current_dir"],
        sources.iter().filter(|source| source.path == home),
    );
}

#[test]
fn files_are_opened_where_the_list_says() {
    let sources = sources();
    let elsewhere = |source: &&Source| {
        source.path.contains("/src/") && !source.is_below(&MAY_TOUCH_FILES) && !source.is_for_tests()
    };
    let words = [
        "std::fs",
        "fs::",
        "File::",
        "tempfile::",
        "rustix::fs",
        "path.is_file()",
        ".is_dir()",
        "path.exists()",
    ];
    none_names(
        &words,
        sources
            .iter()
            .filter(|source| source.is_below(&["crates/"]) && !source.path.contains("/fuzz/"))
            .filter(elsewhere),
    );
}

/// The compute side alone is light: what reads tables, terminals and networks is not compiled with it.
#[test]
fn compute_alone_has_no_tables_and_no_network() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "tree",
            "--offline",
            "-p",
            "ome-zarr-convert-compute",
            "--no-default-features",
        ])
        .args(["-e", "normal", "--prefix", "none"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains("zarrs") && names.len() > 20, "{names:?}");
    for heavy in [
        "polars",
        "polars-core",
        "toml",
        "clap",
        "calamine",
        "hyper",
        "reqwest",
        "tokio",
        "axum",
        "ureq",
    ] {
        assert!(!names.contains(heavy), "compute without features uses {heavy}");
    }
}

/// The top-level module of a file in a crate's `src`: `tiles` for `tiles.rs` and for `tiles/planes.rs`.
fn room(path: &str) -> &str {
    let below = path.split_once("/src/").map_or(path, |(_, below)| below);
    below.split('/').next().unwrap_or(below).trim_end_matches(".rs")
}

/// Rooms that a file names: `crate::tiles::Tiles` is `tiles`.
fn rooms_used(code: &str) -> BTreeSet<String> {
    let uses = code.split("crate::").skip(1);
    let names = uses.flat_map(|after| match after.strip_prefix('{') {
        // `use crate::{codec::Codec, plan};`
        Some(list) => list.split('}').next().unwrap_or_default().split(',').collect(),
        None => vec![after],
    });
    let name = |text: &str| {
        text.trim()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    names.map(name).collect()
}

#[test]
fn no_circle_of_rooms() {
    let sources = sources();
    for (name, _) in EDGES {
        let folder = format!("crates/{name}/src/");
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for source in sources
            .iter()
            .filter(|source| source.path.starts_with(&folder) && !source.is_for_tests())
        {
            let own = room(&source.path);
            if own != "lib" && own != "main" {
                let used = rooms_used(&source.code()).into_iter().filter(|used| used != own);
                uses.entry(own.to_owned()).or_default().extend(used);
            }
        }
        // Rooms that use no room that is left are taken away; what stays goes in circles.
        while let Some(free) = uses
            .iter()
            .find(|(_, used)| used.iter().all(|used| !uses.contains_key(used)))
            .map(|(free, _)| free.clone())
        {
            uses.remove(&free);
        }
        let circle: Vec<_> = uses
            .iter()
            .map(|(own, used)| {
                (
                    own,
                    used.iter().filter(|used| uses.contains_key(*used)).collect::<Vec<_>>(),
                )
            })
            .collect();
        match CIRCLES.iter().any(|(known, _)| *known == name) {
            true => assert!(
                !circle.is_empty(),
                "{name} has no circle any more: strike it off the list"
            ),
            false => assert!(circle.is_empty(), "in {name} these modules use each other: {circle:?}"),
        }
    }
}

#[test]
fn files_say_what_they_are() {
    for source in sources() {
        assert!(
            source.text.starts_with("//! "),
            "{} does not begin with one `//!` sentence",
            source.path
        );
        let name = source.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        let vague = [
            "mod", "utils", "util", "helpers", "helper", "common", "types", "manager", "misc",
        ];
        assert!(!vague.contains(&name), "{}: name it by what it is for", source.path);
    }
}

#[test]
fn files_are_short() {
    let reason = |path: &str| LONG.iter().any(|(long, _)| *long == path);
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(
            lines <= LONGEST || reason(&source.path),
            "{} has {lines} lines: divide it, or give a reason here",
            source.path
        );
    }
    for (long, _) in LONG {
        assert!(root().join(long).is_file(), "{long} is gone: strike it off the list");
    }
}

#[test]
fn nothing_is_left_to_do() {
    for source in sources().iter().filter(|source| source.is_below(&["crates/"])) {
        for word in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore", "FIXME", "XXX"] {
            assert!(!source.text.contains(word), "{} has {word}", source.path);
        }
    }
}

/// Text between backticks, also over the end of a line.
fn quoted(text: &str) -> impl Iterator<Item = String> {
    let spans = text.split('`').skip(1).step_by(2);
    spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn the_document_names_what_there_is() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (name, uses) in EDGES {
        let uses: Vec<_> = uses.iter().map(|name| format!("`{name}`")).collect();
        let start = format!("| `{name}` | {} |", uses.join(", ")).replace("|  |", "| |");
        assert!(
            document.contains(&start),
            "ARCHITECTURE.md lacks the row of edges {start}"
        );
    }
    let sources = sources();
    let exists = |function: &str| {
        let definition = format!("fn {function}");
        sources.iter().any(|source| source.text.contains(&definition))
    };
    let (mut tests, mut files) = (0, 0);
    for span in quoted(&document) {
        // `crate/src/file.rs: function`, `crate/src/file.rs: Type::function`, `test_of_several_words`.
        let (path, function) = span.split_once(": ").unwrap_or((&span, ""));
        if path.contains("/src/") {
            files += 1;
            let source = sources.iter().find(|source| source.path == format!("crates/{path}"));
            let source = source.unwrap_or_else(|| panic!("ARCHITECTURE.md names {path}, which is not there"));
            let function = function.rsplit("::").next().unwrap_or_default();
            let found = source.text.contains(&format!("fn {function}"));
            assert!(found, "ARCHITECTURE.md names {function} in {path}, which is not there");
        } else if path.matches('_').count() >= 3 && path.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            tests += 1;
            assert!(exists(path), "ARCHITECTURE.md names {path}, which is not there");
        }
    }
    assert!(
        tests >= 10 && files >= 10,
        "{tests} tests and {files} files: has the document another form?"
    );
}
