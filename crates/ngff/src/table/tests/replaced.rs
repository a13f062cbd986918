//! Tables that are replaced, of every backend by every backend, with a failure at every call.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use ome_zarr_convert_store::testing::{FailingStore, Moment};

use super::*;

const BACKENDS: [TableBackend; 4] = [
    TableBackend::Csv,
    TableBackend::Json,
    TableBackend::AnnData,
    TableBackend::Parquet,
];

fn table(name: &str, note: Option<&str>) -> Table {
    let mut rois = rois();
    rois.rois[0].name = name.to_owned();
    let note = note.map(|note| ("note".to_owned(), Cell::Text(note.to_owned())));
    rois.rois[1].extra.extend(note);
    Table::Roi(rois)
}

fn write(dir: &Location, version: NgffVersion, table: Table, backend: TableBackend) -> Result<()> {
    let text = |table: &DataTable| Ok(format!("{table:?}").into_bytes());
    let writer = TableWriter {
        backend,
        parquet: Some(&text),
    };
    add_table(dir, version, "rois", table, writer)
}

/// The files of the tables, but for temporary ones.
fn files(dir: &Location) -> BTreeMap<String, Vec<u8>> {
    let found = dir.walk().unwrap().unwrap_or_default().into_iter().map(|file| file.key);
    found.map(|key| (key.clone(), bytes(&dir.join(&key)))).collect()
}

/// The files that the table's own document says it consists of; `None` if it is not there.
fn of_its_backend(dir: &Location) -> Option<BTreeMap<String, Vec<u8>>> {
    let place = dir.join("tables/rois");
    let (attributes, _) = read_attributes_of(&place)?;
    let backend = attributes.get("backend")?.as_str()?.to_owned();
    let parts: &[&str] = match backend.as_str() {
        "csv" => &["table.csv"],
        "json" => &["table"],
        "parquet" => &["table.parquet"],
        _ => &anndata::PARTS,
    };
    let mut files = files(&place);
    files
        .retain(|key, _| key.starts_with('.') || key == "zarr.json" || parts.contains(&key.split('/').next().unwrap()));
    Some(files)
}

fn read_attributes_of(place: &Location) -> Option<(Map<String, Value>, crate::version::ZarrFormat)> {
    group::read_attributes(place).ok()
}

/// Replaces a table with a failure at every call in turn. With `whole` it must be the old or the new one at every moment.
fn sweep(version: NgffVersion, make: fn() -> MemoryStore, old: TableBackend, new: TableBackend, whole: bool) {
    let place = |store: MemoryStore| Location::new(Arc::new(store), "image");
    let [before, after] = [(table("old", Some("n")), old), (table("new", None), new)].map(|(table, backend)| {
        let dir = place(make());
        write(&dir, version, table, backend).unwrap();
        dir
    });
    for moment in [Moment::Before, Moment::After] {
        for number in 1.. {
            let dir = place(make());
            write(&dir, version, table("old", Some("n")), old).unwrap();
            let store = FailingStore::new(Arc::clone(dir.store()));
            store.fail_from(number, ErrorKind::StorageFull, moment);
            let failing = Location::new(Arc::new(store.clone()), "image");
            let result = write(&failing, version, table("new", None), new);
            if store.failed() == 0 {
                result.unwrap();
                assert!(number > 5);
                break;
            }
            let context = format!("{version} {old:?} by {new:?}, {moment:?} {:?}", store.log()[number - 1]);
            result.expect_err(&context);
            let found = of_its_backend(&dir).unwrap_or_else(|| panic!("{context}: no table is left"));
            let [is_old, is_new] = [&before, &after].map(|dir| of_its_backend(dir).as_ref() == Some(&found));
            assert!(is_old || is_new || !whole, "{context}: {:?}", found.keys());
            write(&dir, version, table("new", None), new).unwrap();
            assert!(files(&dir) == files(&after), "{context}: {:?}", files(&dir).keys());
        }
    }
}

#[test]
fn a_table_is_the_old_or_the_new_one_at_every_moment() {
    for &version in NgffVersion::ALL {
        for old in BACKENDS {
            for new in BACKENDS {
                sweep(version, MemoryStore::with_rename, old, new, true);
                let by_files = old == TableBackend::AnnData && new == old;
                sweep(version, MemoryStore::new, old, new, !by_files);
            }
        }
    }
}

#[test]
fn what_no_backend_writes_stays() {
    let dir = place();
    write(&dir, NgffVersion::V05, table("old", None), TableBackend::Json).unwrap();
    for name in ["tables/rois/notes.txt", "tables/notes.txt", "tables/.other.partial/x"] {
        dir.join(name).write_whole(&[b"mine"]).unwrap();
    }
    write(&dir, NgffVersion::V05, table("new", None), TableBackend::Csv).unwrap();
    let names: Vec<String> = files(&dir).into_keys().collect();
    assert_eq!(
        names,
        [
            "tables/.other.partial/x",
            "tables/notes.txt",
            "tables/rois/notes.txt",
            "tables/rois/table.csv",
            "tables/rois/zarr.json",
            "tables/zarr.json",
        ]
    );
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let dir = Location::local(&folder.path().join("image")).unwrap();
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::create_dir_all(folder.path().join("image/tables")).unwrap();
    symlink(&elsewhere, folder.path().join("image/tables/rois")).unwrap();
    let error = write(&dir, NgffVersion::V04, table("a", None), TableBackend::Csv).unwrap_err();
    assert!(
        error.to_string().contains("image/tables/rois is a symbolic link"),
        "{error}"
    );
    std::fs::remove_dir_all(folder.path().join("image/tables")).unwrap();
    symlink(&elsewhere, folder.path().join("image/tables")).unwrap();
    let error = write(&dir, NgffVersion::V04, table("a", None), TableBackend::Csv).unwrap_err();
    assert!(error.to_string().contains("image/tables is a symbolic link"), "{error}");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
}
