//! A folder with a copy of a test acquisition to spoil, and the executables run inside it with relative paths.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A folder of its own with `plate/` or `images/` in it.
pub(crate) struct Acquisition {
    dir: TempDir,
    name: &'static str,
}

/// How an executable ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Acquisition {
    /// A copy of `testdata/hcs_plate` called `plate`.
    pub(crate) fn plate() -> Self {
        Self::copy("hcs_plate", "plate")
    }

    /// A copy of `testdata/single_images` called `images`.
    pub(crate) fn images() -> Self {
        Self::copy("single_images", "images")
    }

    fn copy(testdata: &str, name: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../testdata")
            .join(testdata);
        for (file, bytes) in tree(&from) {
            let to = dir.path().join(name).join(file);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::File::create(to).unwrap().write_all(&bytes).unwrap();
        }
        Self { dir, name }
    }

    /// A path below the folder.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    pub(crate) fn write(&self, below: &str, content: impl AsRef<[u8]>) {
        fs::File::create(self.path(below))
            .unwrap()
            .write_all(content.as_ref())
            .unwrap();
    }

    /// Replaces `from` by `to` in a text file of the acquisition; it must be there.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let file = format!("{}/{file}", self.name);
        let text = self.read(&file);
        assert!(text.contains(from), "{from:?} is not in {file}");
        self.write(&file, text.replacen(from, to, 1));
    }

    /// Runs a command line (words separated by blanks) of `ome-zarr-convert` in the folder.
    pub(crate) fn run(&self, line: &str) -> Ended {
        self.execute_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs `ome-zarr-compute` in the folder.
    pub(crate) fn run_task(&self, line: &str) -> Ended {
        self.execute(
            env!("CARGO_BIN_EXE_ome-zarr-compute"),
            &line.split_whitespace().collect::<Vec<_>>(),
        )
    }

    /// Runs `ome-zarr-convert` with words that may hold blanks.
    pub(crate) fn execute_words(&self, words: &[&str]) -> Ended {
        self.execute(env!("CARGO_BIN_EXE_ome-zarr-convert"), words)
    }

    fn execute(&self, program: &str, words: &[&str]) -> Ended {
        let output = Command::new(program)
            .args(words)
            .current_dir(self.dir.path())
            .env("CONVERTERS_TOOLS_NUM_RETRIES", "1")
            .env_remove("SLURM_CPUS_PER_TASK")
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// The executable ended well.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// The executable ended with `code` and one error that has all of `words` in it.
    #[track_caller]
    pub(crate) fn with_error(self, code: i32, words: &[&str]) {
        let errors = self.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!((self.code, errors), (code, 1), "{}", self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert_eq!(self.stdout, "");
    }
}

/// Every file below a folder by its path relative to it, with `/`.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files.extend(
                tree(&path)
                    .into_iter()
                    .map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

/// The files of an output without the marks, which hold paths.
pub(crate) fn output(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(folder);
    files.retain(|file, _| !file.ends_with(".ome-zarr-convert.json"));
    files
}
